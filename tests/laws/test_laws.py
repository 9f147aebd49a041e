"""Every suite, every law."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.config import Source
from heldout.envs import corridor, laws
from heldout.envs.base import Env, Suite
from heldout.envs.laws import LAWS, Law
from heldout.envs.registry import BUILT_IN, open_suite
from heldout.records import Ending, Step, Task

SUITES = ("corridor", *BUILT_IN)
REAL = ("textcraft", "searchqa")
WORDS = ("get", "craft", "using", "inventory", "go", "to", "open", "door", "1", "2", ",", "oak", "planks", "\n", "")
TAGS = ("<think>", "</think>", "<search>", "</search>", "<answer>", "</answer>")


def _suite(name: str, source: Source) -> Suite:
    return corridor.suite(source) if name == "corridor" else open_suite(name, source)


def _named(law: Law) -> str:
    return law.__name__


@pytest.mark.parametrize("law", LAWS, ids=_named)
@pytest.mark.parametrize("profile", ["pocket", "standard"])
@pytest.mark.parametrize("name", SUITES)
def test_every_generated_suite_keeps_every_law(name: str, profile: str, law: Law) -> None:
    assert list(law(_suite(name, Source(profile=profile)))) == []


@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
@pytest.mark.parametrize("law", LAWS, ids=_named)
@pytest.mark.parametrize("name", REAL)
def test_every_real_suite_keeps_every_law(name: str, law: Law) -> None:
    assert list(law(_suite(name, Source(kind="real")))) == []


@pytest.mark.parametrize("name", SUITES)
@settings(deadline=None, max_examples=50)
@given(actions=st.lists(st.text(max_size=40) | st.lists(st.sampled_from(WORDS + TAGS)).map(" ".join), max_size=3))
def test_no_string_raises(name: str, actions: list[str]) -> None:
    assert list(laws.any_string_is_answered(_suite(name, Source()), actions)) == []


class Moody:
    """A corridor with a fault, for a law to find."""

    def __init__(self, env: Env, fault: str) -> None:
        self._env, self._fault = env, fault

    @property
    def world(self) -> object:
        return self._env.world

    def start(self) -> Step:
        opening = self._env.start()
        return replace(opening, observation=f"{id(self)}") if self._fault == "opening" else opening

    def step(self, action: str) -> Step:
        if self._fault == "raises" and not action:
            raise ValueError("no action")
        step = self._env.step(action)
        if self._fault == "lost" and step.ending:
            return step.cut(Ending.OUT_OF_TURNS)
        return step


def _faulty(fault: str) -> Suite:
    good = corridor.suite(Source())

    def open_task(task: Task) -> Env:
        return Moody(good.open(task), fault)

    return replace(good, open=open_task)


def _breaches(fault: str) -> Iterator[str]:
    return (breach.partition(":")[0] for breach in laws.check(_faulty(fault)))


def test_the_corridor_breaks_no_law() -> None:
    assert laws.check(corridor.suite(Source())) == []


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ("opening", {"same_task_same_opening", "same_actions_same_answers"}),
        ("raises", {"any_string_is_answered"}),
        ("lost", {"the_oracle_solves", "the_oracle_recovers", "an_ending_says_why"}),
    ],
)
def test_a_fault_breaks_its_laws(fault: str, broken: set[str]) -> None:
    assert broken <= set(_breaches(fault))


def test_an_oracles_action_among_the_slips_is_found() -> None:
    suite = replace(corridor.suite(Source()), slips=lambda world: [corridor.oracle(world)])
    assert any("slips_are_mistakes" in breach for breach in laws.check(suite))


def test_a_test_task_among_the_demonstrations_is_found() -> None:
    suite = replace(corridor.suite(Source()), tasks=lambda _: corridor.tasks("test"))
    breaches = laws.check(suite)
    assert any("is in demonstrations too" in breach for breach in breaches)
    assert any("two tasks are called corridor_2" in breach for breach in breaches)
