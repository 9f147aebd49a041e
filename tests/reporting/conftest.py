from dataclasses import replace

import pytest

from heldout.analysis.normalised import Normalised
from heldout.analysis.scores import Attempts, Cell, CellScore, Change
from heldout.config import Config, Train
from heldout.records import Ending, Reply, Trajectory
from heldout.reporting.examples import Example
from heldout.reporting.findings import Control, Findings
from heldout.testing import make_task, make_trajectory, make_turn

EASY = Cell(env="textcraft", split="test", difficulty="easy")
HARD = replace(EASY, difficulty="hard")
ELSEWHERE = Cell(env="babyai", split="test", difficulty="easy")


def score(cell: Cell, value: float, *, k: int = 8, temperature: float = 1.0) -> CellScore:
    return CellScore(
        chain="base",
        step=0,
        env=cell.env,
        split=cell.split,
        difficulty=cell.difficulty,
        temperature=temperature,
        n=60,
        k=k,
        score=value,
        ci95=(value - 0.05, value + 0.0625),
        success=value,
        pass_at_k=min(1.0, 2 * value),
        useful=0.5,
        turns=7.25,
        tokens=123.4,
        endings={"out_of_turns": 200, "solved": 280},
        seeds=1,
        asked=60 * k,
        played=60 * k,
    )


def change(mean: float) -> Change:
    return Change(mean=mean, ci95=(mean - 6, mean + 5.5), n=60, of_seeds=(mean,), is_given_this_run=True)


def placed(value: float) -> Normalised:
    return Normalised(score=value, ci95=(value - 0.125, value + 0.125), n=60)


def control(name: str, value: float, temperature: float) -> Control:
    scores = (score(EASY, value, temperature=temperature), score(HARD, value / 2, temperature=temperature))
    return Control(
        name=name,
        temperatures={EASY: temperature, HARD: temperature} if name != "random" else {},
        scores=scores,
        change={EASY: change(20.0), HARD: change(-1.5)},
        normalised={EASY: placed(value)},
    )


@pytest.fixture
def findings() -> Findings:
    """A chain that was trained on easy TextCraft and measured elsewhere too."""
    return Findings(
        study="demo",
        base_name="pocket",
        chain="textcraft.easy",
        trained_env="textcraft",
        trained_difficulty="easy",
        seeds=(0,),
        config=Config(train=Train(steps=30)),
        base=(score(ELSEWHERE, 0.3), score(EASY, 0.4), score(HARD, 0.1)),
        trained=(score(ELSEWHERE, 0.25), score(EASY, 0.75), score(HARD, 0.2)),
        change={ELSEWHERE: change(-5.0), EASY: change(35.0), HARD: change(10.0)},
        controls=(
            control("greedy", 0.5, 0.0),
            control("matched_entropy", 0.45, 0.61),
            control("random", 0.05, 1.0),
        ),
        attempts={"base": (Attempts(cell=EASY, asked=480, played=480, broken=0),)},
        base_normalised={EASY: placed(0.375)},
        trained_normalised={EASY: placed(0.75), ELSEWHERE: placed(-0.125)},
        wall_seconds=531.26,
    )


def trajectory(task: str, value: float, *, attempt: int = 0, reply: str = "Action: get 1 stick") -> Trajectory:
    reply_ = make_turn(Reply(text=reply), action="get 1 stick", observation="Got 1 stick", reward=value)
    return make_trajectory(
        task=make_task(env="textcraft", id=task, world={"goal": task}),
        attempt=attempt,
        opening="Craft.\n\nGoal: craft stick.",
        turns=(reply_,),
        reward=value,
        score=value,
        ending=Ending.SOLVED if value == 1 else Ending.OUT_OF_TURNS,
        stream=f"evaluate/base@0/textcraft/{task}/{attempt}",
    )


@pytest.fixture
def gains() -> tuple[list[Trajectory], list[Trajectory]]:
    """The first attempts at five tasks before and after: gains of 1, 0.5, 0, -0.25 and -1."""
    values = {"a": (0.0, 1.0), "b": (0.0, 0.5), "c": (1.0, 1.0), "d": (0.5, 0.25), "e": (1.0, 0.0)}
    before = [trajectory(task, value) for task, (value, _) in values.items()]
    after = [trajectory(task, value) for task, (_, value) in values.items()]
    return [*before, trajectory("a", 1.0, attempt=1)], [*reversed(after), trajectory("e", 1.0, attempt=1)]


@pytest.fixture
def tricky() -> Example:
    """A reply that tries to end the block that it is shown in."""
    said = trajectory("a", 0.0, reply="```\n# not a heading\n````\nAction: look")
    return Example("the largest gain", said, trajectory("a", 1.0))
