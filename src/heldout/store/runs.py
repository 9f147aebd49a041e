"""Where a study lies on disk; no other module knows its paths."""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from heldout.errors import BadCall, HeldoutError
from heldout.records import Episode
from heldout.store.files import refusals
from heldout.store.folders import damage, replacing, sweep
from heldout.store.metrics import Metrics
from heldout.store.rows import Rows
from heldout.store.trajectories import Trajectories

BASE = "base"
"""The chain of no stage."""


def slug(chain: str) -> str:
    """A chain's name in paths: `webshop.easy > webshop.hard` is `webshop.easy--webshop.hard`."""
    stages = [stage.strip() for stage in (chain or BASE).split(">")]
    if not all(re.fullmatch(_STAGE, stage) for stage in stages):
        raise BadCall(f"a chain is stages joined by ' > ', such as 'webshop.easy > webshop.hard', not {chain!r}")
    return "--".join(map(env_slug, stages))


_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_STAGE = rf"{_NAME}|{_NAME}:{_NAME}@https?://[A-Za-z0-9_.:\[\]/%-]+[A-Za-z0-9_.+-]*"
"""A stage's name; that of an environment on a server holds its address."""


def env_slug(name: str) -> str:
    """An environment's name in paths: the `:` and `/` of one on a server are written `%3A` and `%2F`."""
    return quote(name, safe="@+")


@dataclass(frozen=True, slots=True)
class StageFolder:
    """One training run's files."""

    root: Path

    @property
    def config(self) -> Path:
        """The configuration that the stage runs with."""
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

    def latest(self) -> int | None:
        """The step of the last complete checkpoint, if there is one."""
        return max(self.checkpoints(), default=None)

    def saving(self, step: int) -> AbstractContextManager[Path]:
        """A folder to save a checkpoint into; it gets its name, and so counts, only when all was written."""
        return replacing(self.checkpoint(step), accounted=True)

    def whole(self, step: int) -> Path:
        """The folder of a checkpoint, looked through: one with a damaged file is refused by the file's name."""
        folder = self.checkpoint(step)
        if wrong := damage(folder):
            before = max((other for other in self.checkpoints() if other < step), default=0)
            then = f"goes on from step {before}" if before else "begins anew"
            raise HeldoutError(f"{wrong}: remove {folder}, and the stage {then} when it is run again")
        return folder


@dataclass(frozen=True, slots=True)
class EvaluationFolder:
    """The measurements of one checkpoint: rows, and the trajectories that they were counted from."""

    root: Path

    def rows(self, env: str) -> Rows[Episode]:
        """The episodes in one environment."""
        return Rows(self.root / f"{env_slug(env)}.jsonl", Episode)

    def trajectories(self, env: str) -> Trajectories:
        """The trajectories of these episodes; a row's is the last one of its stream."""
        return Trajectories(self.root / f"{env_slug(env)}.trajectories.jsonl.zst")

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
    def report(self) -> Path:
        """The folder of what is derived; safe to delete."""
        return self.root / "report"

    def stage(self, chain: str, seed: int) -> StageFolder:
        """The training that ends a chain."""
        return StageFolder(self.root / "stages" / slug(chain) / f"seed_{seed}")

    def evaluation(self, chain: str, step: int, seed: int) -> EvaluationFolder:
        """The measurements of a chain's checkpoint."""
        return EvaluationFolder(self.root / "evaluations" / f"{slug(chain)}@{step}" / f"seed_{seed}")

    def difficulty(self, player: str) -> EvaluationFolder:
        """The episodes that tell easy from hard, of one player: kept apart from those that score a model."""
        return EvaluationFolder(self.root / "difficulty" / player)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes out; the system lets go of it when this process ends, however it ends."""
        with refusals(self.root, "lock"):
            self.root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT)
        try:
            with refusals(self.root, "lock"):
                _take(descriptor, self.root)
                sweep(self.root)
            yield
        finally:
            os.close(descriptor)


def _take(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(descriptor, 20, 0).decode() or "unknown"
        raise HeldoutError(f"{root} is in use by process {owner}: wait for it, or choose another folder") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
