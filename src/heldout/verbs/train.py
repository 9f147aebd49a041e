"""`heldout train`: one stage of reinforcement fine-tuning."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from typing import final

from heldout.agents import PLAYERS, Backends
from heldout.chains import Stage, chain_name, parse_chain, slug_of
from heldout.config import Config
from heldout.errors import BadCall
from heldout.progress import Progress
from heldout.records import Json, Trajectory
from heldout.store import schema
from heldout.store.folders import ACCOUNT, replacing
from heldout.store.lineage import differences
from heldout.store.runs import StageFolder, StudyFolder
from heldout.study.perform import Place, checkpoint_of, perform, place_of_study
from heldout.study.plan import Study, plan
from heldout.study.run import claim
from heldout.train.identity import apart
from heldout.train.stage import Row, recorded
from heldout.verbs.settings import run_folder, settled
from heldout.verbs.tally import Tally

SHOWN = ("reward", "success", "turns", "useful_groups", "rollouts_per_second", "tokens_per_second")
"""A step's figures that the progress line shows."""

OPTIMIZER = "optimizer.safetensors"
"""What of a checkpoint only going on needs."""


def train(
    *,
    model: str,
    env: str,
    difficulty: str,
    difficulty_file: str | None,
    n_samples: int | None,
    max_response_length: int | None,
    max_turns: int | None,
    algorithm: str,
    resume: bool,
    seed: int,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Trains an agent and says where its checkpoint lies."""
    if model in PLAYERS:
        raise BadCall(f"{model!r} cannot be trained: name a model (pocket, a folder, or a Hugging Face name)")
    flags = {
        "train.samples": n_samples,
        "limits.response_budget": max_response_length,
        "train.turns": max_turns,
        "train.algorithm": algorithm,
        "source.difficulty": difficulty_file,
    }
    config = settled(model, flags, settings)
    stage = requested_stage(env, difficulty)
    study = Study(name="train", base=model, chains=((stage,),), seeds=(seed,), measured=(), config=config)
    with Progress(f"train {stage.name}", config.train.steps) as progress:
        place = place_of_study(study, StudyFolder(out or Path()), _StepProgress(progress))
        folder = StudyFolder(out or run_folder("train", place.agent, config.source.variant))
        place = replace(place, folder=folder, study=replace(study, name=folder.root.name))
        trained = _train(place, resume=resume)
    published = publish(checkpoint_of(trained, trained.study.chains[0], seed), _output_folder(stage, config))
    metrics = trained.stage(trained.study.chains[0], seed).metrics.path
    print(f"metrics: {metrics}\ncheckpoint: {published}")


def requested_stage(text: str, difficulty: str) -> Stage:
    """The stage that `--env` and `--difficulty` ask for: an environment, or a stage as chains are written."""
    chain = parse_chain(text)
    if len(chain) != 1:
        raise BadCall(
            f"train makes one stage, such as textcraft or babyai+webshop, not {len(chain)} as in {text!r}"
        )
    [stage] = chain
    if difficulty != "all" and stage.difficulty not in ("all", difficulty):
        raise BadCall(f"--env {text} and --difficulty {difficulty} ask for different tasks: leave one out")
    return replace(stage, difficulty=difficulty) if difficulty != "all" else stage


def publish(checkpoint: Path, folder: Path) -> Path:
    """The folder, now with the checkpoint's model, to be read by transformers; it is never there half written."""
    with replacing(folder) as partial:
        for file in sorted(checkpoint.iterdir()):
            if file.name not in (OPTIMIZER, ACCOUNT):
                copyfile(file, partial / file.name)
    return folder


def _train(place: Place, *, resume: bool) -> Place:
    """Where the stage was trained: as it was asked for, or as a new stage from an earlier run's checkpoint."""
    [chain], [seed] = place.study.chains, place.study.seeds
    folder = place.stage(chain, seed)
    if resume and not folder.config.exists():
        raise BadCall(f"{folder.root} holds no run to resume: leave --resume out to begin one")
    if folder.config.exists() and not resume:
        raise BadCall(f"{folder.root} holds a run: go on with --resume, or write elsewhere with --out")
    here = _continue(place, folder) if resume else place
    claim(here)
    with Backends() as backends:
        for piece in plan(here.study, controls=False):
            perform(here, piece.work, backends)
    return here


def _continue(place: Place, folder: StageFolder) -> Place:
    """The same place; or, where the run cannot go on as it was, that of a new stage from its last good checkpoint.

    Only settings may differ: another base, seed or task source is another run, and refused.
    """
    [chain], [seed] = place.study.chains, place.study.seeds
    job = place.job(chain, place.study.config.train.steps, seed)
    known = schema.read(folder.config)["training"]
    number = len(job.before)
    differing = {path.removeprefix(f"stages.{number}."): now for path, _, now in differences(known, job.training)}
    if not differing:
        return place
    reason, last = apart(known, job.training), recorded(folder)
    if not all(path.startswith(("train.", "limits.", "processes", "backend", "reference")) for path in differing):
        raise BadCall(f"{folder.root} holds another run: {reason} (choose another folder with --out)")
    if not last:
        raise BadCall(
            f"{folder.root} cannot go on: {reason}, and it has no checkpoint yet (remove it, or choose --out)"
        )
    stage = replace(chain[-1], changes=_changes(chain[-1], differing))
    study = replace(place.study, base=str(folder.whole(last)), chains=((stage,),))
    new = place_of_study(study, place.folder, place.watch)
    print(f"{reason}: goes on from step {last} as a new stage, {chain_name(new.full((stage,)))}")
    return new


def _changes(stage: Stage, differing: dict[str, Json]) -> tuple[tuple[str, str], ...]:
    """The stage's own changes, and those settings that differ from the run's before it."""
    new = {path: str(value) for path, value in differing.items() if path.startswith(("train.", "limits."))}
    return tuple({**dict(stage.changes), **new}.items())


def _output_folder(stage: Stage, config: Config) -> Path:
    """`outputs/webshop_easy_checkpoint`; what is changed in the environment or the stage is named too."""
    changes = "" if not stage.changes else slug_of(stage.name).rpartition("~")[2]
    parts = (slug_of("+".join(stage.envs)), stage.difficulty, config.source.variant.name, changes, "checkpoint")
    return Path("outputs") / "_".join(filter(None, parts))


@final
class _StepProgress:
    """Shows a training's steps on one line."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, chain: str, row: Row, steps: int) -> None:
        """A training step was made."""
        del chain, steps
        self._progress.show(row["step"], **{name: row[name] for name in SHOWN})

    @contextmanager
    def playing(self, title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        """Episodes are to be played."""
        with Progress(title, episodes) as progress:
            yield Tally(progress)
