"""One stage of reinforcement fine-tuning: choose tasks → play groups → advantages → update → save.

The joins of the data's road are made here. A stage is a loop over steps; each step is a function of
the checkpoint before it and of the seed, so a run that was killed goes on as if it never had been.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean

from heldout.analysis.scores import Cell
from heldout.backend.worker import Backend
from heldout.chains import Chain, Stage, chain_name, stream_name
from heldout.config import REFERENCES, Config, Train
from heldout.envs.base import Suite
from heldout.envs.registry import own_name
from heldout.errors import BadCall, HeldoutError, choose_from, unknown
from heldout.evaluation.measure import tasks_of
from heldout.learn.advantages import zero_variance
from heldout.learn.algorithms import algorithm_of, refuse_unknown_aggregation, samples
from heldout.model.identity import weights_digest, words_digest
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.records import Ending, Group, Json, Task, Trajectory, to_json
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import group_by_task
from heldout.seeds import derive
from heldout.store import lineage, schema
from heldout.store.files import read_json, replace_json
from heldout.store.lineage import Lineage, Training
from heldout.store.provenance import provenance
from heldout.store.runs import StageFolder
from heldout.training.identity import apart, stage_facts, training_of
from heldout.training.skipping import (
    chain_at,
    refuse_too_many,
    saying_how_to_go_on,
    skipped_figure,
    step_to_go_on_from,
)
from heldout.training.task_sampler import tasks_of_step

StepMetrics = dict[str, Json]

OCCASIONAL = ("skipped", "openings_too_long")
"""Figures that only those steps have in which there is something to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One stage to train: what the loop needs beside a backend and a folder."""

    base: str
    """The digest of the model that the chain starts from."""
    base_name: str = ""
    """What people call it."""
    chain: Chain
    """The chain that this stage ends, such as `textcraft.easy > babyai.easy`."""
    suites: tuple[Suite, ...]
    config: Config
    """As the stage's own changes make it; `train.steps` says where it ends."""
    seed: int
    before: tuple[Json, ...] = ()
    """What decided the weights that the stage begins with: the facts of the stages before it, with their steps."""
    processes: int = 1
    backend: str = "cpu"
    """The kind of backend: its bits are not another's."""
    reference: str = ""
    """What the KL term anchors to, by what decided its weights; empty without the term."""

    @property
    def stage(self) -> Stage:
        """The stage that is trained."""
        return self.chain[-1]

    @property
    def name(self) -> str:
        """The chain's name."""
        return chain_name(self.chain)

    @property
    def facts(self) -> dict[str, Json]:
        """All that decides what this stage makes of the weights that it begins with."""
        facts = stage_facts(self.stage, self.config, self.suites, seed=self.seed)
        return {
            **facts,
            "processes": self.processes,
            "slots": self.config.slots,
            "backend": self.backend,
            "reference": self.reference,
        }

    @property
    def training(self) -> Training:
        """All that decides the weights after each step."""
        return training_of(self.base, [*self.before, self.facts])

    @property
    def stream(self) -> str:
        """What the stage's streams of chance are named by: nothing that a change of settings would change."""
        own = (replace(stage, envs=tuple(map(own_name, stage.envs))) for stage in self.chain)
        return stream_name(tuple(own))


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
    settings = job.config.train
    began = time.perf_counter()
    tasks = tasks_of_step(pools, step, settings.tasks, derive(job.seed, job.stream), job.stage.weights)
    in_all = len(tasks) * settings.group_size
    trajectories = list[Trajectory]()
    now = partial(StepPart, step, settings.steps)
    during(now("playing", 0, in_all))
    for trajectory in play_groups(job, backend, step, tasks):
        trajectories.append(trajectory)
        during(now("playing", len(trajectories), in_all))
    trajectories.sort(key=lambda played: played.stream)
    folder.rollouts(step).replace(trajectories)
    played = time.perf_counter()
    groups = usable(group_by_task(trajectories))
    kept = [group for group in groups if algorithm_of(settings.algorithm).keeps(group, settings)]
    update = learn(backend, settings, kept, step, lambda *far: during(now("learning", *far)))
    learned = time.perf_counter()
    return {
        **rollout_figures(trajectories),
        "step": step,
        **group_figures(groups, kept, settings),
        **update_figures(update, settings, step),
        **skipped_figure(update, folder),
        "seconds_play": played - began,
        "seconds_learn": learned - played,
        "tokens_per_second": sum(t.generated_tokens for t in trajectories) / max(1e-9, played - began),
        "rollouts_per_second": len(trajectories) / max(1e-9, played - began),
    }


def play_groups(job: Job, backend: Backend, step: int, tasks: Sequence[Task]) -> Iterator[Trajectory]:
    """G attempts at each task; each environment's own turn limit unless the settings have one."""
    settings = job.config.train
    stream = f"{job.stream}/step={step}"
    for suite in job.suites:
        assignments = [
            Assignment(task=task, attempt=attempt, seed=job.seed, stream=stream)
            for task in tasks
            if task.env == suite.name
            for attempt in range(settings.group_size)
        ]
        limits = replace(job.config.limits, max_turns=settings.max_turns or suite.max_turns)
        yield from backend.play(assignments, limits, settings.temperature)


def usable(groups: Sequence[Group]) -> list[Group]:
    """The groups without their infrastructure failures; one that is left with a single trajectory goes too."""
    kept = [
        replace(group, trajectories=tuple(t for t in group.trajectories if t.ending is not Ending.ERROR))
        for group in groups
    ]
    return [group for group in kept if len(group.trajectories) > 1]


def learn(
    backend: Backend, settings: Train, groups: Sequence[Group], step: int, tell: Tell = unheard
) -> Update | None:
    """One batch of these groups; without any sampled token no update. `tell` hears of its micro-batches."""
    taught = samples(algorithm_of(settings.algorithm), groups, settings)
    return backend.learn(taught, objective(settings, step), tell) if taught else None


def objective(settings: Train, step: int) -> Objective:
    """What the step's update minimises."""
    return Objective(
        algorithm=algorithm_of(settings.algorithm),
        lr=learning_rate(settings, step),
        clip=settings.clip,
        clip_high=settings.clip_high,
        kl_coef=settings.kl,
        entropy=settings.entropy,
        updates_per_batch=settings.updates_per_batch,
        temperature=settings.temperature,
        max_grad_norm=settings.max_grad_norm,
        batch_tokens=settings.batch_tokens,
    )


def learning_rate(settings: Train, step: int) -> float:
    """Rises linearly over the warm-up, then stays."""
    return settings.lr * min(1.0, step / max(1, settings.warmup))


def rollout_figures(trajectories: Sequence[Trajectory]) -> StepMetrics:
    """What a step's episodes come to, by the field's names; infrastructure failures count only as endings."""
    whole = [t for t in trajectories if t.ending is not Ending.ERROR]
    if not whole:
        raise HeldoutError(f"every episode of the step failed: {trajectories[0].error}")
    return {
        "reward": fmean(t.reward for t in whole),
        "score": fmean(t.score for t in whole),
        "success": fmean(t.success for t in whole),
        "turns": fmean(len(t.turns) for t in whole),
        "generated_tokens": fmean(t.generated_tokens for t in whole),
        "response_length": fmean(t.response_length for t in whole),
        "endings": dict(sorted(Counter(str(t.ending) for t in trajectories).items())),
        **({"openings_too_long": too_long} if (too_long := sum(t.is_too_long for t in trajectories)) else {}),
    }


def group_figures(groups: Sequence[Group], kept: Sequence[Group], settings: Train) -> StepMetrics:
    """How many groups there are, and the share of those whose rewards differ, whatever is learned from.

    A KL term learns from groups whose rewards agree too: with one, the share that was learned from stands apart.
    """
    count = max(1, len(groups))
    useful = [group for group in groups if not zero_variance([each.reward for each in group.trajectories])]
    figures: StepMetrics = {"groups": len(groups), "useful_share": len(useful) / count}
    return figures | ({"learned_share": len(kept) / count} if settings.kl else {})


def update_figures(update: Update | None, settings: Train, step: int) -> StepMetrics:
    """What an update did; a step with no useful group, or one that is skipped, has no figures."""
    updated = update is not None and update.optimizer_steps > 0
    figures: StepMetrics = {"updated": updated, "lr": learning_rate(settings, step)}
    names = ("loss", "grad_norm", "entropy", "clip_fraction", "kl", "mismatch", "tokens")
    seen = update if update and not update.is_skipped else None
    return figures | {name: getattr(seen, name) if seen else None for name in names}


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
    algorithm_of(settings.algorithm)
    refuse_unknown_aggregation(settings.loss_aggregation)
    if settings.reference not in REFERENCES:
        raise unknown("reference of the KL term", settings.reference, REFERENCES)
    if settings.group_size < 2:
        raise BadCall(
            f"GRPO compares the trajectories of a group: it needs 2 samples or more, not {settings.group_size}"
        )
