"""Where a study lies on disk; no other module knows its paths."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from heldout.chains import slug_of
from heldout.errors import HeldoutError
from heldout.records import Row, from_json, to_json
from heldout.store import schema
from heldout.store.difficulty import NAME
from heldout.store.folders import damage, replacing
from heldout.store.lines import Lines
from heldout.store.metrics import Metrics
from heldout.store.pieces import PieceRecord
from heldout.store.rows import Rows
from heldout.store.trajectories import Trajectories

Check = Callable[[], None]
"""Raises where what is to be published is no longer ours to publish."""


CHECKPOINTS = (
    "checkpoints/step_*",
    "seed_*/checkpoints/step_*",
    "*/seed_*/checkpoints/step_*",
    "stages/*/seed_*/checkpoints/step_*",
    "*/stages/*/seed_*/checkpoints/step_*",
)
"""Where checkpoints lie, as seen from the folder of a training, of its chain, of a study, or of several."""


def _unchecked() -> None:
    """Nobody else wants the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was removed of a training's checkpoints: it was made all the same."""

    checkpoints: tuple[int, ...] = ()
    """Steps whose checkpoints were removed."""
    states: tuple[int, ...] = ()
    """Steps whose checkpoints are there, but for the optimizer's state: the training cannot go on from them."""


@dataclass(frozen=True, slots=True)
class StageFolder:
    """One training run's files."""

    root: Path
    check: Check = _unchecked
    """Called before anything is published in the folder."""

    @property
    def lease(self) -> Path:
        """What who trains here holds."""
        return self.root / ".lease"

    @property
    def config(self) -> Path:
        """What decides the stage's weights, and the configuration that it began with."""
        return self.root / "config.json"

    @property
    def done(self) -> Path:
        """Written last: what the finished stage comes to."""
        return self.root / "done.json"

    @property
    def metrics(self) -> Metrics:
        """The figures of each step."""
        return Metrics(self.root / "metrics.jsonl")

    def rollouts(self, step: int) -> Trajectories:
        """What was played for one step."""
        return Trajectories(self.root / "rollouts" / f"step_{step}.jsonl.zst")

    def checkpoint(self, step: int) -> Path:
        """The folder of the checkpoint after a step, whether or not it is there."""
        return self.root / "checkpoints" / f"step_{step}"

    def checkpoints(self) -> list[int]:
        """The steps whose checkpoints are complete, in order."""
        names = [path.name for path in self.checkpoint(0).parent.glob("step_*") if path.is_dir()]
        return sorted(int(name.removeprefix("step_")) for name in names if name.removeprefix("step_").isdecimal())

    @property
    def pruned(self) -> Pruned:
        """What was removed of the checkpoints."""
        if not self.pruned_path.exists():
            return Pruned()
        value = schema.read(self.pruned_path)
        del value["schema"]
        return from_json(Pruned, value)

    @property
    def pruned_path(self) -> Path:
        """What says what was removed."""
        return self.root / "pruned.json"

    def is_pruned(self, step: int) -> bool:
        """Whether that step's checkpoint was removed, and is not there again."""
        return step in self.pruned.checkpoints and not self.checkpoint(step).exists()

    def was_made(self, step: int) -> bool:
        """Whether the training came to that step's checkpoint, which may be pruned by now, with all its metrics."""
        is_known = step in self.checkpoints() or step in self.pruned.checkpoints
        return is_known and step <= self.metrics.whole()

    def resumable(self) -> list[int]:
        """The steps that the training can go on from: their checkpoints have the optimizer's state."""
        return [step for step in self.checkpoints() if step not in self.pruned.states]

    def has_its_state_again(self, step: int) -> None:
        """A checkpoint that had lost the optimizer's state was made again."""
        if step in (known := self.pruned).states:
            states = tuple(each for each in known.states if each != step)
            schema.replace(self.pruned_path, to_json(replace(known, states=states)))

    def latest(self) -> int | None:
        """The step of the last complete checkpoint, if there is one."""
        return max(self.checkpoints(), default=None)

    def saving(self, step: int) -> AbstractContextManager[Path]:
        """A folder to save a checkpoint into; it gets its name, and so counts, only when all was written."""
        return replacing(self.checkpoint(step), accounted=True, check=self.check)

    def whole(self, step: int) -> Path:
        """The folder of a checkpoint, looked through: one with a damaged file is refused by the file's name."""
        folder = self.checkpoint(step)
        if self.is_pruned(step):
            raise HeldoutError(
                f"{folder} was pruned: heldout study run trains it again where a study needs it, and otherwise "
                f"where {self.pruned_path} is removed"
            )
        if wrong := damage(folder):
            before = max((other for other in self.checkpoints() if other < step), default=0)
            then = f"goes on from step {before}" if before else "begins anew"
            raise HeldoutError(f"{wrong}: remove {folder}, and the stage {then} when it is run again")
        return folder


@dataclass(frozen=True, slots=True)
class EvaluationFolder:
    """The measurements of one checkpoint: rows, and the trajectories that they were counted from."""

    root: Path
    check: Check = _unchecked
    """Called before anything is published in the folder."""

    def lease(self, env: str) -> Path:
        """What who measures in an environment holds."""
        return self.root / f".{slug_of(env)}.lease"

    def matched(self, temperature: float) -> Path:
        """The temperature at which the base is as random as this checkpoint is at the other one."""
        return self.root / f"matched_entropy_at_{temperature:g}.json"

    def drift(self, env: str, temperature: float) -> Path:
        """How far this checkpoint is from the base in the base's own words in an environment."""
        return self.root / f"forward_kl_{slug_of(env)}_at_{temperature:g}.json"

    def tuned(self, cell: str, digits: str) -> Path:
        """The temperature at which this checkpoint does best on training tasks of a cell's kind."""
        return self.root / f"best_temperature_{slug_of(cell)}_{digits[:8]}.json"

    def rows(self, env: str) -> Rows[Row]:
        """The episodes in one environment."""
        return Rows(self.root / f"{slug_of(env)}.jsonl", Row)

    def trajectories(self, env: str) -> Trajectories:
        """The trajectories of these episodes; a row's is the last one of its stream."""
        return Trajectories(self.root / f"{slug_of(env)}.trajectories.jsonl.zst")

    def mend(self, env: str) -> None:
        """Takes back a round that was added by half: a kill came between its trajectories and its last row."""
        rows, trajectories = self.rows(env), self.trajectories(env)
        if len(trajectories) <= (count := len(rows)):
            return
        if [row.stream for row in rows] == [each.stream for each in islice(trajectories, count)]:
            whole = trajectories.whole(count)
            rows.cut_to(whole)
            trajectories.cut_to(whole)


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """A study's folder, `runs/<study>`."""

    root: Path

    @property
    def study(self) -> Path:
        """The recipe as data, its hash, the versions and the machine."""
        return self.root / "study.json"

    @property
    def lease(self) -> Path:
        """What who changes `study.json` holds."""
        return self.root / ".lease"

    @property
    def sessions(self) -> Lines:
        """How long each session took, and on what machine."""
        return Lines(self.root / "sessions.jsonl")

    @property
    def pieces(self) -> Rows[PieceRecord]:
        """What each piece of work took; who adds to it holds `pieces_lease`."""
        return Rows(self.root / "pieces.jsonl", PieceRecord)

    @property
    def pieces_lease(self) -> Path:
        """What who adds to the records of a study's work holds."""
        return self.root / ".pieces.lease"

    def failure(self, title: str) -> Path:
        """Why a piece of work failed when it was last tried; nothing is there once it is done."""
        return self.root / "failures" / f"{slug_of(title)}.log"

    @property
    def report(self) -> Path:
        """The folder of what is derived; safe to delete."""
        return self.root / "report"

    def stage(self, chain: str, seed: int) -> StageFolder:
        """The training that ends a chain."""
        return StageFolder(self.root / "stages" / slug_of(chain) / f"seed_{seed}")

    def evaluation(self, chain: str, step: int, seed: int) -> EvaluationFolder:
        """The measurements of a chain's checkpoint."""
        return EvaluationFolder(self.root / "evaluations" / f"{slug_of(chain)}@{step}" / f"seed_{seed}")

    @property
    def halves(self) -> Path:
        """Which tasks are easy and which are hard, where the study's own work tells."""
        return self.root / NAME

    @property
    def halves_lease(self) -> Path:
        """What who tells easy from hard holds."""
        return self.root / ".difficulty.lease"

    def difficulty(self, player: str) -> EvaluationFolder:
        """The episodes that tell easy from hard, of one player: kept apart from those that score a model."""
        return EvaluationFolder(self.root / "difficulty" / player)


def last_checkpoints(folder: Path) -> list[Path]:
    """The last checkpoint of each training in a folder: a run's, a study's, one that holds such, or part of one."""
    trainings = sorted({found.parent.parent for pattern in CHECKPOINTS for found in folder.glob(pattern)})
    steps = [(StageFolder(root), StageFolder(root).latest()) for root in trainings]
    return [stage.checkpoint(step) for stage, step in steps if step is not None]


def leases_in(root: Path) -> list[Path]:
    """The leases of all pieces of work below a folder."""
    return sorted({path.with_suffix("") for path in root.rglob(".*lease.*") if path.suffix[1:].isdecimal()})
