"""What the tests of crashes share: a training and a measurement of a model that is one number."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, final

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import Stage
from heldout.config import Config, Evaluate, Limits, Train
from heldout.envs.base import Suite
from heldout.evaluation.measure import Identity, measure
from heldout.learn.batch import Sample
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.policies.base import Request
from heldout.records import Reply, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.store.folders import ACCOUNT, sweep
from heldout.store.lease import hold
from heldout.store.published import MARK
from heldout.store.runs import StudyFolder
from heldout.training.job import Job
from heldout.training.stage import train

Suites = Callable[[str], Suite]
Work = Callable[[Path], object]
Content = Callable[[Path], dict[str, object]]

TIMES = {"seconds_play", "seconds_learn", "tokens_per_second", "rollouts_per_second"}
CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=20),
    train=Train(steps=4, tasks=3, group_size=4, lr=0.5, kl=0.0, save_every=2),
)


@final
class Guess:
    """Opens the left door the more often the larger its number; an id's log-probability tells its neighbours."""

    in_flight = 64

    def __init__(self, number: float, neighbours: int) -> None:
        self._number, self._neighbours = number, neighbours
        self._ready = list[tuple[str, Reply]]()

    def submit(self, request: Request) -> None:
        """A door, by chance."""
        doors = [
            word
            for word, next_ in zip(request.text.split(), request.text.split()[1:], strict=False)
            if "door" in next_
        ]
        left = Random(request.seed).random() < 0.5 + self._number
        reply = Reply(
            text=f"Action: open {doors[0 if left else -1]} door" if doors else "Action: read note",
            context_ids=(1, 2),
            token_ids=(3, int(left)),
            logprobs=(-self._number, -self._neighbours / 1000),
        )
        self._ready.append((request.conversation, reply))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Nothing is kept."""


@final
class Toy:
    """A backend whose model is one number, with a moment: as sensitive to a wrong resume as a real one, fast."""

    def __init__(self, suites: Suites) -> None:
        self.number, self.moment = 0.0, 0.0
        self._suites = suites

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories."""
        del temperature
        work = list(assignments)
        return play(Guess(self.number, len(work)), work, limits, self._suites)

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """More of what had an advantage."""
        tell(0, 1)
        gradient = sum(_scalar(each) * (each.ids[3] - 0.5) for each in samples) / len(samples)
        self.moment = 0.9 * self.moment + gradient
        self.number += objective.lr * self.moment
        return Update(
            loss=gradient,
            grad_norm=1.0,
            entropy=0.0,
            clip_fraction=0.0,
            kl=0.0,
            mismatch=0.0,
            tokens=1,
            seconds=0.0,
        )

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """It has no reference."""
        raise NotImplementedError

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """It has no words."""
        raise NotImplementedError

    def save(self, folder: Path, state: bool = True) -> None:
        """One file for the number, one for the moment."""
        (folder / "model.json").write_text(json.dumps(self.number))
        if state:
            (folder / "optimizer.json").write_text(json.dumps(self.moment))

    def load(self, name: str) -> None:
        """The base is nought."""
        del name
        self.number, self.moment = 0.0, 0.0

    def restore(self, folder: Path) -> None:
        """Both, as they were saved."""
        self.number, self.moment = (
            json.loads((folder / name).read_text()) for name in ("model.json", "optimizer.json")
        )


def _scalar(sample: Sample) -> float:
    assert isinstance(sample.advantage, float)
    return sample.advantage


@pytest.fixture(scope="session")
def job(trio: Suites) -> Job:
    """Four steps in the corridor, with a checkpoint every two."""
    stage = Stage(("corridor",))
    return Job(base="toy", chain=(stage,), suites=(trio("corridor"),), config=CONFIG, seed=0)


@pytest.fixture(scope="session")
def training(job: Job, trio: Suites) -> Work:
    """Trains in a study's folder, or goes on."""

    def work(root: Path) -> None:
        study = StudyFolder(root)
        with hold(study.lease):
            sweep(root)
            train(job, Toy(trio), study.stage(job.name, 0))

    return work


@pytest.fixture(scope="session")
def evaluation(trio: Suites) -> Work:
    """Measures 40 episodes in a study's folder, 16 a round, or goes on."""
    settings = Evaluate(samples=2, max_turns=3, round=16)
    who = Identity(study="toy", base="toy", model="toy", chain="base", seed=0, step=0)

    def work(root: Path) -> None:
        study = StudyFolder(root)
        folder = study.evaluation("base", 0, 0)
        with hold(study.lease):
            sweep(root)
            folder.mend("corridor")
            measure(
                Toy(trio).play,
                trio,
                [Cell(env="corridor", split="test", difficulty=level) for level in ("easy", "hard")],
                identity=who,
                settings=settings,
                limits=CONFIG.limits,
                rows=folder.rows("corridor"),
                trajectories=folder.trajectories("corridor"),
            )

    return work


@pytest.fixture(scope="session")
def works(training: Work, evaluation: Work) -> dict[str, Work]:
    """What is crashed."""
    return {"training": training, "evaluation": evaluation}


@pytest.fixture(scope="session")
def content() -> Content:
    """Every file below a folder, with what it holds: metrics without times, no lock, and no folder's own name."""
    return held


def held(root: Path) -> dict[str, object]:
    """The files below a folder."""
    return {
        path.relative_to(root).as_posix(): metrics(path) if path.name == "metrics.jsonl" else path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not _tells_where_it_lies(path)
    }


def _tells_where_it_lies(path: Path) -> bool:
    """Whether it is the mark of a published copy, which names the run's folder, or the sums with the mark's."""
    return path.name == MARK or (path.name == ACCOUNT and (path.parent / MARK).exists())


def metrics(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics file, times apart."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]
