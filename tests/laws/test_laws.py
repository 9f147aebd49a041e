"""Every suite, every law."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.config import Source
from heldout.envs import corridor, law_results
from heldout.envs.base import Env, Suite
from heldout.envs.laws import LAWS, Law
from heldout.envs.registry import able, names, open_suite
from heldout.errors import OriginalError
from heldout.records import Ending, Step, Task

SUITES = list(dict.fromkeys(["corridor", *names()]))
REAL = able(lambda suite: bool(suite.real_data.needs))
QUICK = ("corridor", "textcraft")
"""The suites that `make quick` holds to the laws; `make test` all of them, by the pocket model's tasks."""
GENERATED = [
    *(pytest.param(name, "pocket", marks=() if name in QUICK else pytest.mark.slow) for name in SUITES),
    *(pytest.param(name, "standard", marks=pytest.mark.very_slow) for name in SUITES),
]
WORDS = ("get", "craft", "using", "inventory", "go", "to", "open", "door", "1", "2", ",", "oak", "planks", "\n", "")
TAGS = ("<think>", "</think>", "<search>", "</search>", "<answer>", "</answer>")
CLICKS = ("search[", "click[", "]", "<c>", "buy now", "< prev", "next >", "description")

TYPED = st.text(max_size=40) | st.lists(st.sampled_from(WORDS + TAGS + CLICKS)).map(" ".join)
CHOICES = st.lists(st.integers(0, 99) | TYPED, max_size=12)
"""What is done in turn: any text, or by its number an action that would be carried out."""


def _suite(name: str, source: Source) -> Suite:
    return corridor.suite(source) if name == "corridor" else open_suite(name, source)


def _named(law: Law) -> str:
    return law.__name__


@pytest.mark.parametrize("law", LAWS, ids=_named)
@pytest.mark.parametrize(("name", "profile"), GENERATED)
def test_every_generated_suite_keeps_every_law(name: str, profile: str, law: Law) -> None:
    assert list(law(_suite(name, Source(profile=profile)))) == []


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
@pytest.mark.parametrize("law", LAWS, ids=_named)
@pytest.mark.parametrize("name", REAL)
def test_every_real_suite_keeps_every_law(name: str, law: Law) -> None:
    assert list(law(_suite(name, Source(kind="real")))) == []


@pytest.mark.parametrize("name", SUITES)
@settings(max_examples=50)
@given(place=st.integers(0, 19), choices=CHOICES)
def test_whatever_is_done_is_answered_alike_twice_and_ends_as_it_may(
    name: str, place: int, choices: list[str | int]
) -> None:
    suite = _suite(name, Source())
    steps, again = (list(_done(suite, suite.tasks("test")[place], choices)) for _ in range(2))
    assert steps == again
    assert all(0 <= step.score <= 1 for step in steps)
    assert all(step.ending is None for step in steps[:-1])
    assert steps[-1].ending in (None, Ending.SOLVED, Ending.FAILED)
    assert (steps[-1].score > 0) == (sum(step.reward for step in steps) > 0)


@pytest.mark.parametrize("name", able(lambda suite: "agentgym" in suite.rules_known))
@settings(max_examples=50)
@given(place=st.integers(0, 19), choices=CHOICES)
def test_the_original_raises_nothing_but_its_own_error_replies(
    name: str, place: int, choices: list[str | int]
) -> None:
    suite = _suite(name, Source(rules="agentgym"))
    with suppress(OriginalError):
        assert list(_done(suite, suite.tasks("test")[place], choices))


def _done(suite: Suite, task: Task, choices: list[str | int]) -> Iterator[Step]:
    """The answers to what is chosen, until one ends the episode."""
    env = suite.open(task)
    step = env.start()
    yield step
    for choice in choices:
        if step.ending is not None:
            return
        legal = suite.players.legal(env.world)
        step = env.step(choice if isinstance(choice, str) else legal[choice % len(legal)])
        yield step


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
    return (breach.partition(":")[0] for breach in law_results.check(_faulty(fault)))


def test_the_corridor_breaks_no_law() -> None:
    assert law_results.check(corridor.suite(Source())) == []


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
    good = corridor.suite(Source())
    suite = replace(good, players=replace(good.players, mistakes=lambda world: [corridor.oracle(world)]))
    assert any("mistakes_are_not_the_oracles" in breach for breach in law_results.check(suite))


def test_a_test_task_among_the_demonstrations_is_found() -> None:
    suite = replace(corridor.suite(Source()), tasks=lambda _: corridor.tasks("test"))
    breaches = law_results.check(suite)
    assert any("is in demonstrations too" in breach for breach in breaches)
    assert any("two tasks are called corridor_2" in breach for breach in breaches)
