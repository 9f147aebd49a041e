"""The rival answers the same requests as our engine, by the same rules."""

from collections.abc import Callable

import pytest
import torch

from heldout.bench.generate import GenerateEngine
from heldout.model.pocket import init_model, model_config
from heldout.records import Stop

VOCABULARY, END, PAD = 300, 1, 0
Make = Callable[..., GenerateEngine]


@pytest.fixture(scope="module")
def model() -> object:
    return init_model(model_config(VOCABULARY, END, PAD, width=32, layers=2), seed=0)


@pytest.fixture
def rival(model: object) -> Make:
    def made(*end_ids: int) -> GenerateEngine:
        return GenerateEngine(model, slots=4, context=256, end_ids=end_ids or [END], pad_id=PAD)

    return made


def test_all_open_requests_are_answered_together_and_a_reply_keeps_to_its_cap(rival: Make) -> None:
    engine = rival(VOCABULARY - 1)
    engine.submit("short", [5, 6], 3, seed=0)
    engine.submit("long", [7, 8, 9, 10], 6, seed=1)
    answers = {done.conversation: done for done in engine.collect()}
    assert {name: len(done.token_ids) for name, done in answers.items()} == {"short": 3, "long": 6}
    assert all(done.stop is Stop.LENGTH for done in answers.values())
    assert engine.collect() == []


def test_a_reply_ends_with_its_end_token(rival: Make) -> None:
    engine = rival(*range(2, VOCABULARY))  # nearly any token ends a reply
    engine.submit("a", [5, 6], 50, seed=0)
    [done] = engine.collect()
    assert (len(done.token_ids), done.stop) == (1, Stop.END)


def test_a_later_turn_reads_all_that_was_read_and_said_before(rival: Make) -> None:
    engine = rival()
    engine.submit("a", [5, 6, 7], 4, seed=3)
    [first] = engine.collect()
    engine.submit("a", [8], 4, seed=4)
    [second] = engine.collect()
    engine.submit("b", [5, 6, 7, *first.token_ids, 8], 4, seed=4)
    [whole] = engine.collect()
    assert second.token_ids == whole.token_ids


def test_chance_outside_is_left_as_it_was(rival: Make) -> None:
    before = torch.random.get_rng_state()
    engine = rival()
    engine.submit("a", [5, 6], 5, seed=0)
    engine.collect()
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_conversation_that_is_released_begins_anew(rival: Make) -> None:
    engine = rival()
    engine.submit("a", [5, 6], 5, seed=0)
    [first] = engine.collect()
    engine.release("a")
    engine.submit("a", [5, 6], 5, seed=0)
    assert engine.collect() == [first]
