"""One stage of reinforcement fine-tuning: choose tasks → play groups → advantages → update → save.

The joins of the data's road are made here. A stage is a loop over steps; each step is a function of
the checkpoint before it and of the seed, so a run that was killed goes on as if it never had been.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from heldout.analysis.scores import Cell
from heldout.backend.worker import Backend
from heldout.chains import chain_name
from heldout.envs.base import Suite
from heldout.errors import BadCall, choose_from
from heldout.evaluation.measure import tasks_of
from heldout.learn.methods import method_of
from heldout.model.identity import weights_digest, words_digest
from heldout.records import Task, to_json
from heldout.store import lineage, schema
from heldout.store.files import read_json, replace_json
from heldout.store.lineage import Lineage
from heldout.store.provenance import provenance
from heldout.store.runs import StageFolder
from heldout.training.figures import StepMetrics, group_figures, rollout_figures, update_figures
from heldout.training.identity import apart
from heldout.training.job import Job
from heldout.training.learning import learn
from heldout.training.playing import play_step
from heldout.training.skipping import (
    chain_at,
    refuse_too_many,
    saying_how_to_go_on,
    skipped_figure,
    step_to_go_on_from,
)


@dataclass(frozen=True, slots=True)
class StepPart:
    """How far a training step is: `playing` counts episodes, `learning` micro-batches."""

    step: int
    steps: int
    phase: str
    done: int
    in_all: int


During = Callable[[StepPart], None]
"""Hears how far a step is."""


def _silent(part: StepPart) -> None:
    """Nobody hears it."""


def train(
    job: Job,
    backend: Backend,
    folder: StageFolder,
    tell: Callable[[StepMetrics], None] | None = None,
    during: During = _silent,
) -> int:
    """Trains until the last step and returns its number; `tell` hears each step's metrics, `during` what goes on.

    The backend comes with the weights that the stage starts from; where the folder has a checkpoint the
    stage goes on from there, and what was played after it is played again. A step that was trained already, and
    kept, is the end that was asked for: nothing is done.
    """
    claim(job, folder)
    last = job.config.train.steps
    if folder.was_made(last):
        folder.whole(last)
        return _record_end(folder, last)
    pools = pools_of(job)
    begun = begin(job, backend, folder)
    for step in range(begun + 1, last + 1):
        with saying_how_to_go_on(job.chain, job.config.train, folder, step):
            row = one_step(job, backend, folder, step, pools, during=during)
            folder.check()
            folder.metrics.add(row)
            refuse_too_many(row, job.config.train)
            if step % job.config.train.save_every == 0 or step == last:
                save(job, backend, folder, step)
        if tell:
            tell(row)
    return _record_end(folder, last)


def _record_end(folder: StageFolder, last: int) -> int:
    """Says how far the stage has come, where that is not said yet."""
    if not folder.done.exists() or read_json(folder.done)["step"] < last:
        replace_json(folder.done, {"step": last}, folder.check)
    return last


def claim(job: Job, folder: StageFolder) -> None:
    """Says in the folder what it holds; settings that cannot train, and a folder of another run, are refused."""
    refuse_untrainable(job)
    if folder.config.exists():
        refuse_another(job, folder)
    else:
        written = {"training": job.training, "base": job.base_name, "chain": job.name}
        schema.replace(folder.config, {**written, "config": to_json(job.config)})


def refuse_untrainable(job: Job) -> None:
    """Refuses settings that cannot train."""
    _check(job)
    pools_of(job)


def refuse_another(job: Job, folder: StageFolder) -> None:
    """Refuses a folder whose training is another one, by the first field that differs."""
    if differs := apart(schema.read(folder.config)["training"], job.training):
        raise BadCall(
            f"{folder.root} holds another run: {differs} (choose another folder, remove this one, or say the "
            "change in the stage: env[path=value])"
        )


def begin(job: Job, backend: Backend, folder: StageFolder) -> int:
    """The step that the stage goes on from, with the backend restored to its checkpoint; 0 for a fresh start."""
    there, last = folder.checkpoints(), job.config.train.steps
    if there and max(there) > last:
        raise BadCall(
            f"{folder.root} is at step {max(there)} already, and kept no checkpoint of step {last} "
            f"({choose_from(str(last), map(str, there), lead='it has')})"
        )
    # What was played after the checkpoint is thrown away and played again: half a step cannot be gone on with,
    # since its streams are named by the step and its batch is one update.
    at = step_to_go_on_from(folder)
    if at:
        backend.restore(folder.whole(at))
    folder.check()
    folder.metrics.cut_to(at)
    return at


def one_step(
    job: Job,
    backend: Backend,
    folder: StageFolder,
    step: int,
    pools: Sequence[Sequence[Task]],
    *,
    during: During = _silent,
) -> StepMetrics:
    """Plays the step's groups, learns from those that the algorithm keeps, and gives the step's metrics."""
    settings, method = job.config.train, method_of(job.config.train)
    began = time.perf_counter()
    now = partial(StepPart, step, settings.steps)
    trajectories, groups = play_step(job, backend, step, pools, lambda *far: during(now("playing", *far)))
    folder.rollouts(step).replace(trajectories)
    played = time.perf_counter()
    update = learn(backend, job, groups, step, lambda *far: during(now("learning", *far)))
    learned = time.perf_counter()
    return {
        **rollout_figures(trajectories),
        "step": step,
        **group_figures(groups, method),
        **update_figures(update, settings, step),
        **skipped_figure(update, folder),
        "seconds_play": played - began,
        "seconds_learn": learned - played,
        "tokens_per_second": sum(t.generated_tokens for t in trajectories) / max(1e-9, played - began),
        "rollouts_per_second": len(trajectories) / max(1e-9, played - began),
    }


def pools_of(job: Job) -> list[list[Task]]:
    """Each environment's training tasks; fewer than a step takes are refused."""
    pools = [train_tasks(suite, job.stage.difficulty) for suite in job.suites]
    weights = job.stage.weights or (1,) * len(pools)
    for pool, weight in zip(pools, weights, strict=True):
        share = math.ceil(job.config.train.tasks * weight / sum(weights))
        if len(pool) < share:
            raise BadCall(
                f"a step takes {share} tasks, but there are only {len(pool)}: choose a smaller train.tasks"
            )
    return pools


def train_tasks(suite: Suite, difficulty: str) -> list[Task]:
    """The suite's training tasks of one difficulty; a difficulty without any is refused."""
    return list(tasks_of(suite, Cell(env=suite.name, split="train", difficulty=difficulty)))


def save(job: Job, backend: Backend, folder: StageFolder, step: int) -> None:
    """A checkpoint that counts only when all of it is written, with what it went through beside it."""
    chain = chain_at(job.chain, step, job.config.train.steps)
    with folder.saving(step) as partial:
        backend.save(partial)
        lineage.write(
            partial,
            Lineage(
                base=job.base_name,
                chain=chain_name(chain),
                step=step,
                training=job.training,
                weights=weights_digest(partial),
                words=words_digest(str(partial)) if (partial / "config.json").is_file() else "",
                made_with=provenance(),
            ),
        )
    folder.has_its_state_again(step)


def _check(job: Job) -> None:
    settings = job.config.train
    method_of(settings)
