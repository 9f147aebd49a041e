"""A state without a way out: found where it does not end the episode, and no fault where it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import pytest

from heldout.envs.base import Env, Players, Suite, Traits
from heldout.envs.law_results import check
from heldout.envs.laws import the_oracle_recovers
from heldout.records import Ending, Step, Task, digest

COSTS = {"drink": 3, "snack": 5}


@dataclass(frozen=True)
class Machine:
    """The coins in the purse, what was paid in, and what is still wanted."""

    purse: tuple[int, ...] = (1, 2, 5)
    paid: int = 0
    wanted: tuple[str, ...] = ("drink", "snack")

    @property
    def plan(self) -> list[str] | None:
        """The actions that get all that is wanted; None where nothing does, since no change is given."""
        if not self.wanted:
            return []
        for action in legal(self):
            if (rest := self.after(action).plan) is not None:
                return [action, *rest]
        return None

    def after(self, action: str) -> "Machine":
        verb, _, what = action.partition(" ")
        if verb == "insert":
            return replace(
                self,
                purse=tuple(coin for coin in self.purse if str(coin) != what),
                paid=self.paid + int(what),
            )
        return replace(self, paid=0, wanted=tuple(each for each in self.wanted if each != what))


def legal(machine: Machine) -> list[str]:
    """The coins that are left, and what can be paid for."""
    coins = [f"insert {coin}" for coin in machine.purse]
    return coins + [f"press {each}" for each in machine.wanted if machine.paid >= COSTS[each]]


def oracle(machine: Machine) -> str:
    return machine.plan[0] if machine.plan else "wait"


@final
class Vending:
    """Buy a drink for 3 and a snack for 5 with coins of 1, 2 and 5; the machine keeps what is too much."""

    def __init__(self, *, ends: bool) -> None:
        self.world = Machine()
        self._ends = ends

    def start(self) -> Step:
        return self._answer("A machine.")

    def step(self, action: str) -> Step:
        if action not in legal(self.world):
            return self._answer("Nothing happens.")
        self.world = self.world.after(action)
        if not self.world.wanted:
            return replace(self._answer("You have all."), reward=1.0, score=1.0, ending=Ending.SOLVED)
        if self._ends and self.world.plan is None:
            return self._answer("The money is gone.").cut(Ending.FAILED)
        return self._answer("Clink.")

    def _answer(self, said: str) -> Step:
        return Step(f"{said} You have {self.world.purse}, paid {self.world.paid}.", digest=digest(repr(self.world)))


def tasks(split: str) -> Sequence[Task]:
    return [
        Task(env="vending", split=split, id=f"{split}-{n}", difficulty="easy", world={"n": f"{split}{n}"})
        for n in range(10)
    ]


def vending(*, ends: bool) -> Suite:
    def opened(_: Task) -> Env:
        return Vending(ends=ends)

    return Suite(
        name="vending",
        kind="Toy",
        traits=Traits(),
        instruction="Buy a drink and a snack.",
        actions=("insert {coin}", "press {what}"),
        max_turns=8,
        source="one machine",
        data="d",
        tasks=tasks,
        open=opened,
        players=Players(oracle=oracle, legal=legal),
    )


def test_a_machine_that_gives_no_change_is_lost_in_legal_play_that_does_not_end_it() -> None:
    told = list(the_oracle_recovers(vending(ends=False)))
    assert len(told) >= 10
    assert all(" is lost after legal actions that did not end it: [" in line for line in told)
    assert any("['insert 5', 'press drink']" in line for line in told)


def test_a_machine_that_ends_the_episode_there_breaks_no_law() -> None:
    assert check(vending(ends=True)) == []


@pytest.mark.parametrize("law", ["the_oracle_solves", "the_oracle_recovers"])
def test_only_the_law_of_recovery_sees_it(law: str) -> None:
    broken = {line.partition(":")[0] for line in check(vending(ends=False))}
    assert (law in broken) == (law == "the_oracle_recovers")
