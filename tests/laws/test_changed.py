"""Every suite with each trait changed, every law."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.config import TRAITS, Source, Variant
from heldout.envs.base import Suite
from heldout.envs.laws import LAWS, Law
from heldout.envs.registry import able, open_suite
from heldout.errors import BadCall
from heldout.records import Ending, Step, Task

WORDS = ("get", "craft", "using", "go to", "open", "1", "click[", "search[", "]", "<search>", "</search>", "")
TYPED = st.text(max_size=20) | st.lists(st.sampled_from(WORDS)).map(" ".join)
CHOICES = st.lists(st.integers(0, 99) | TYPED, max_size=8)
"""What is done in turn: any text, or by its number an action that would be carried out."""

EACH = [Variant(words=17), *(Variant(**{trait: value}) for trait, values in TRAITS.items() for value in values)]  # type: ignore[arg-type]


def _all() -> Iterator[tuple[str, Variant]]:
    """Each trait changed in each environment that has it and is otherwise; and in each, all of them at once."""
    for name in able(lambda suite: bool(suite.variants.words or suite.variants.stands)):
        changed = list[Variant]()
        for variant in EACH:
            try:
                suite = open_suite(name, Source(variant=variant))
            except BadCall:
                continue
            changed += [variant] if suite.variant.changes else []
        yield from ((name, variant) for variant in changed)
        at_once = {
            trait: value for variant in changed for trait, value in variant.changes.items() if trait != "words"
        }
        yield name, Variant(**at_once, words=3 if open_suite(name, Source()).variants.words else 0)


CHANGED = list(_all())


def _few(name: str, variant: Variant) -> Suite:
    """The suite with the first tasks of each split, so that every law looks at all of them."""
    suite = open_suite(name, Source(variant=variant))
    return replace(suite, tasks=lambda split: suite.tasks(split)[:3])


def test_each_trait_can_be_changed_somewhere() -> None:
    assert len(CHANGED) == 45
    assert {trait for _, variant in CHANGED for trait in variant.changes} == {*TRAITS, "words"}


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize(("name", "variant"), CHANGED, ids=lambda each: getattr(each, "name", each))
def test_every_variant_of_every_suite_keeps_every_law(name: str, variant: Variant, law: Law) -> None:
    assert list(law(_few(name, variant))) == []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), CHANGED, ids=lambda each: getattr(each, "name", each))
@settings(max_examples=5)
@given(place=st.integers(0, 9), choices=CHOICES)
def test_whatever_is_done_is_answered_alike_twice_and_ends_as_it_may(
    name: str, variant: Variant, place: int, choices: list[str | int]
) -> None:
    suite = open_suite(name, Source(variant=variant))
    steps, again = (list(_done(suite, suite.tasks("test")[place], choices)) for _ in range(2))
    assert steps == again
    assert all(0 <= step.score <= 1 and 0 <= step.reward <= 1 for step in steps)
    assert sum(step.reward for step in steps) <= 1 + 1e-9
    assert steps[-1].ending in (None, Ending.SOLVED, Ending.FAILED)


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
