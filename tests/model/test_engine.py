"""What every engine with many conversations in flight does, whichever it is."""

from collections.abc import Callable
from random import Random

import pytest
import torch

from heldout.backend.worker import Worker
from heldout.errors import HeldoutError
from heldout.model.engines.base import Completion, Engine
from heldout.model.engines.hf import HfEngine
from heldout.model.engines.packed import PackedEngine
from heldout.records import Stop

Make = Callable[..., Engine]


@pytest.fixture(params=[HfEngine, PackedEngine])
def engine(request: pytest.FixtureRequest) -> Make:
    def make(worker: Worker, slots: int, *, context: int = 400) -> Engine:
        made: Engine = request.param(worker.model, slots=slots, context=context, end_ids=[worker.chat.end_id])
        return made

    return make


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_reading_sampling_and_releasing_is_exact(engine: Make, worker: Worker, seed: int) -> None:
    """Conversations of all lengths come, go on, rest, and leave, some of them in the middle of a reply."""
    rng, held, told = Random(seed), engine(worker, slots=5), dict[str, list[int]]()
    resting, open_, checked = set[str](), set[str](), 0
    for number in range(120):
        if len(told) < 5 and rng.random() < 0.6:
            name = f"conversation {number}"
            told[name] = []
            resting.add(name)
        for name in [name for name in sorted(resting) if rng.random() < 0.7]:
            ids = [rng.randrange(3, 500) for _ in range(rng.choice((1, 2, 9, 40)))]
            if len(told[name]) + len(ids) + 12 > held.context:
                continue
            told[name] += ids
            held.submit(name, ids, rng.randint(1, 12), seed=rng.randrange(1000))
            resting.remove(name)
            open_.add(name)
        for done in held.collect():
            assert largest_error(worker, told[done.conversation], done) < 1e-4
            told[done.conversation] += done.token_ids
            open_.remove(done.conversation)
            resting.add(done.conversation)
            checked += 1
        for name in [name for name in sorted(told) if rng.random() < 0.05]:
            held.release(name)
            del told[name]
            resting.discard(name)
            open_.discard(name)
    assert checked > 100


def largest_error(worker: Worker, before: list[int], done: Completion) -> float:
    ids = torch.tensor([*before, *done.token_ids])
    with torch.no_grad():
        logp_TV = worker.model(input_ids=ids[None]).logits[0].log_softmax(-1)
    known = logp_TV[len(before) - 1 : -1].gather(1, ids[len(before) :, None])[:, 0]
    return float((known - torch.tensor(done.logprobs)).abs().max())


def test_nothing_open_is_nothing_finished(engine: Make, worker: Worker) -> None:
    held = engine(worker, slots=2)
    assert held.collect() == []
    held.submit("a", [5, 6], 3, seed=0)
    held.release("a")
    held.release("never seen")
    assert held.collect() == []


def test_a_released_conversation_begins_anew(engine: Make, worker: Worker) -> None:
    held = engine(worker, slots=1)
    replies = list[tuple[int, ...]]()
    for _ in range(2):
        held.submit("a", [5, 6, 7], 8, seed=3)
        replies += [done.token_ids for done in held.collect()]
        held.release("a")
    assert replies[0] == replies[1]


def test_a_reply_has_at_most_its_tokens_and_says_why_it_stopped(engine: Make, worker: Worker) -> None:
    held = engine(worker, slots=64)
    for seed in range(64):
        held.submit(f"{seed}", worker.chat.opening("Two doors."), 1 + seed % 12, seed=seed)
    done = [one for _ in range(64) for one in held.collect()]
    assert len(done) == 64
    for one in done:
        ended = one.token_ids[-1] == worker.chat.end_id
        assert one.stop is (Stop.END if ended else Stop.LENGTH)
        assert len(one.token_ids) == len(one.logprobs) <= 1 + int(one.conversation) % 12
        assert ended or len(one.token_ids) == 1 + int(one.conversation) % 12
    assert {one.stop for one in done} == {Stop.END, Stop.LENGTH}


def said(held: Engine, temperatures: list[float]) -> dict[str, Completion]:
    """What five conversations of unlike lengths say, each at its temperature; all are released after it."""
    for number, temperature in enumerate(temperatures):
        ids = [7 + number] * (3 + 9 * number)
        held.submit(f"{number}", ids, 8 + number, seed=number, temperature=temperature)
    done = dict[str, Completion]()
    while finished := held.collect():
        done |= {one.conversation: one for one in finished}
    for name in done:
        held.release(name)
    return done


def test_an_engine_that_has_played_before_says_the_same_to_the_bit_as_a_fresh_one(
    engine: Make, worker: Worker
) -> None:
    used = engine(worker, slots=5)
    said(used, [0.3, 1.0, 0.7, 0.0, 2.0])
    used.rest()
    used.submit("left in the middle", [4] * 30, 12, seed=9)
    used.submit("over at once", [5], 1, seed=9)
    used.collect()
    for name in ("left in the middle", "over at once"):
        used.release(name)
    used.rest()
    assert said(used, [1.0] * 5) == said(engine(worker, slots=5), [1.0] * 5)


def test_requests_of_unlike_temperatures_side_by_side_have_each_their_own_distribution(
    engine: Make, worker: Worker
) -> None:
    mixed = said(engine(worker, slots=5), [1.0, 0.0, 0.5, 0.0, 1.0])
    for temperature in (0.0, 0.5, 1.0):
        alike = said(engine(worker, slots=5), [temperature] * 5)
        own = [name for name, own in zip("01234", [1.0, 0.0, 0.5, 0.0, 1.0], strict=True) if own == temperature]
        assert [mixed[name].token_ids for name in own] == [alike[name].token_ids for name in own]
        for name in own:
            assert mixed[name].logprobs == pytest.approx(alike[name].logprobs, abs=1e-5)
    assert set(mixed["1"].logprobs) == {0.0}


def test_no_conversation_crosses_an_update_of_the_weights(engine: Make, worker: Worker) -> None:
    held = engine(worker, slots=2)
    held.submit("open", [5, 6], 3, seed=0)
    with pytest.raises(HeldoutError, match="cannot take new weights while 1 conversations are open"):
        held.update(worker.model.named_parameters)
    with pytest.raises(HeldoutError, match="cannot rest while 1 conversations are open"):
        held.rest()
    held.release("open")
    held.update(worker.model.named_parameters)
    held.rest()
