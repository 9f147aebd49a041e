"""Made-up words: one to one, their own way back, and easily read."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.registry import able, open_suite
from heldout.envs.renaming import DEMONSTRATED, HELD_OUT, Renaming, renaming, words_in

SMALL = Renaming({"get": "bafok", "log": "rimap"})
KEPT = words_in("Thought Action search click think answer information SEP Buy Now Prev Next Page Price Instruction")
"""Words of a reply's form, and of a page's."""

each_with_words = pytest.mark.parametrize("name", able(lambda suite: bool(suite.variants.words)))


def test_words_change_places_with_their_names_in_whole_words_and_as_they_are_written() -> None:
    assert SMALL("Get 2 oak_log, GET logs; gEt") == "Bafok 2 oak_rimap, BAFOK logs; gEt"
    assert SMALL("bafok 2 rimap") == "get 2 log"
    assert SMALL("get 2 rimap") == "bafok 2 log"


@given(
    st.text() | st.lists(st.sampled_from(["get", "Log", "RIMAP", "bafok", " ", "[", "1", "ſ", "K"])).map("".join)
)
def test_any_text_said_twice_is_what_it_was(text: str) -> None:
    assert SMALL(SMALL(text)) == text


def test_the_maps_for_demonstrations_and_for_tests_are_apart() -> None:
    assert list(DEMONSTRATED) == list(range(1, 17))
    assert HELD_OUT.start == 17
    assert not set(DEMONSTRATED) & set(HELD_OUT[:1000])


@each_with_words
@pytest.mark.parametrize("number", [1, 2, 17])
def test_made_up_words_are_short_no_two_alike_and_none_begins_another(name: str, number: int) -> None:
    words = open_suite(name, Source()).variants.words
    made = list(renaming(name, words, number).names.values())
    assert len(made) == len(words) == len(set(made))
    assert all(re.fullmatch("([bdfgklmnprtvz][aiou]){2,3}[bgkmpvxz]", word) for word in made)
    assert not any(later.startswith(word) for word, later in pairwise(sorted(made)))


@each_with_words
def test_two_numbers_are_two_maps_and_the_same_number_is_the_same(name: str) -> None:
    words = open_suite(name, Source()).variants.words
    names = [renaming(name, words, number).names for number in (1, 2, 17)]
    assert all(sum(one[word] == other[word] for word in words) < 3 for one, other in combinations(names, 2))
    renaming.cache_clear()
    assert renaming(name, words, 17).names == names[-1]


@each_with_words
def test_no_made_up_word_is_one_that_the_environment_says(name: str) -> None:
    suite = open_suite(name, Source())
    said = {word for text in told(name, 20) for word in words_in(text)}
    made = {word for number in range(1, 33) for word in renaming(name, suite.variants.words, number).names.values()}
    assert len(said) > 40
    assert not made & said


@each_with_words
def test_the_form_of_replies_and_pages_is_not_renamed(name: str) -> None:
    assert not open_suite(name, Source()).variants.words & KEPT


@each_with_words
@settings(max_examples=10)
@given(number=st.integers(1, 1000))
def test_whatever_an_environment_says_comes_back_exactly(name: str, number: int) -> None:
    suite = open_suite(name, Source())
    names = renaming(name, suite.variants.words, number)
    for text in told(name, 3):
        assert names(text) != text or not words_in(text) & suite.variants.words
        assert names(names(text)) == text


@cache
def told(name: str, tasks: int) -> tuple[str, ...]:
    """An environment's instruction, and what its oracle reads, thinks and says in some tasks."""
    suite = open_suite(name, Source())
    return (suite.instruction, *_told(suite, tasks))


def _told(suite: Suite, tasks: int) -> Iterator[str]:
    for task in suite.tasks("train")[:tasks]:
        env = suite.open(task)
        step = env.start()
        while step.ending is None:
            action = suite.players.oracle(env.world)
            yield from (step.observation, suite.players.thought(env.world, action), action)
            step = env.step(action)
        yield step.observation
