"""An environment of your own in a hundred lines: a number to find, held to the laws, and played.

In a package of yours, `heldout play guess`, `heldout train` and `heldout evaluate` find it by its entry point:

    [project.entry-points."heldout.suites"]
    guess = "your_package.guess:suite"
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from heldout.config import Limits, Source
from heldout.envs.base import Players, Suite, Traits
from heldout.envs.law_results import check
from heldout.policies import privileged
from heldout.records import Ending, Step, Task, digest
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

SPLITS = ("demonstrations", "train", "test")
HIGHEST = 31


@dataclass(frozen=True, slots=True)
class World:
    """The rules, without English: a number, and between which two it is known to lie."""

    secret: int
    low: int = 1
    high: int = HIGHEST

    def guess(self, number: int) -> "World":
        """What is known after a guess."""
        if number < self.secret:
            return replace(self, low=max(self.low, number + 1))
        return replace(self, high=min(self.high, number if number == self.secret else number - 1))


@final
class Guess:
    """One episode, in words."""

    def __init__(self, world: World) -> None:
        self.world = world

    def start(self) -> Step:
        """What the agent is told first."""
        return self._answer(f"I think of a number from 1 to {HIGHEST}.")

    def step(self, action: str) -> Step:
        """Whether the number is more, or less, or found; any other words are answered too."""
        found = re.fullmatch(r"guess ([0-9]{1,2})", action)
        if not found:
            return self._answer("That is no guess.")
        number = int(found[1])
        self.world = self.world.guess(number)
        if number == self.world.secret:
            return replace(self._answer("Found."), reward=1.0, score=1.0, ending=Ending.SOLVED)
        return self._answer("More." if number < self.world.secret else "Less.")

    def _answer(self, observation: str) -> Step:
        return Step(observation, digest=digest([self.world.low, self.world.high]))


def tasks(split: str) -> Sequence[Task]:
    """Every third number; easy where halving finds it in four guesses."""
    numbers = range(1 + SPLITS.index(split), HIGHEST + 1, len(SPLITS))
    return [
        Task(
            env="guess",
            split=split,
            id=f"guess_{number}",
            difficulty="hard" if number % 2 else "easy",
            world={"secret": number},
        )
        for number in numbers
    ]


def suite(_: Source) -> Suite:
    """Everything that is asked of an environment, in one value."""
    return Suite(
        name="guess",
        kind="Toy",
        traits=Traits(dense=False, strict=True, lists_actions=False, knowledge=False, structured=False),
        instruction="Find the number. Reply with a thought and one action:\nThought: ...\nAction: guess {number}",
        actions=("guess {number}",),
        max_turns=6,
        source=f"the numbers from 1 to {HIGHEST}",
        data=digest(HIGHEST),
        tasks=tasks,
        open=lambda task: Guess(World(task.world["secret"])),
        players=Players(
            oracle=lambda world: f"guess {(world.low + world.high) // 2}",
            legal=lambda world: [f"guess {number}" for number in range(world.low, world.high + 1)],
            thought=lambda world, _: f"It lies from {world.low} to {world.high}.",
            mistakes=lambda world: [f"guess {number}" for number in range(1, world.low)],
        ),
    )


def main() -> None:
    """Holds the environment to the laws, plays one episode, and compares two players."""
    guess = suite(Source())
    episodes = [Assignment(task=task, attempt=0, seed=0, stream="example") for task in tasks("test")]
    print("\n".join(check(guess)) or "Every law is kept.")
    for player in (privileged.oracle, privileged.random):
        played = list(play(player(lambda _: guess), episodes, Limits(max_turns=guess.max_turns), lambda _: guess))
        print(f"\n{player.__name__}: {sum(each.success for each in played)} of {len(played)} found")
        for turn in played[0].turns:
            print(f"  {turn.action}: {turn.observation}")


if __name__ == "__main__":
    main()
