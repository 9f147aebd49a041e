"""The engine for models whose memory has no rows, beside the one for rows: the same words from the same seeds."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Source
from heldout.errors import HeldoutError
from heldout.model.engines.base import Completion
from heldout.model.engines.hf import HfEngine
from heldout.model.engines.sampling import Open, sample
from heldout.model.engines.single import SingleEngine
from heldout.records import Stop

IDS = [[7, 9, 11, 30, 31], [8], [12, 13, 14]]


@pytest.fixture(scope="module")
def shared(tiny: Path) -> Worker:
    return Worker(WorkerConfig(model=str(tiny), source=Source()))


def said(engine: Any, temperature: float) -> dict[str, list[Completion]]:
    """Three conversations of two turns."""
    found: dict[str, list[Completion]] = {}
    for turn in range(2):
        for number, ids in enumerate(IDS):
            engine.submit(str(number), ids, 4, seed=turn, temperature=temperature)
        for _ in IDS:
            for each in engine.collect():
                found.setdefault(each.conversation, []).append(each)
    for number in range(len(IDS)):
        engine.release(str(number))
    engine.rest()
    return found


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_both_engines_say_the_same(shared: Worker, temperature: float, one_by_one: bool) -> None:
    ends = [shared.chat.end_id]
    rows = said(HfEngine(shared.model, slots=3, context=400, end_ids=ends), temperature)
    single = SingleEngine(shared.model, slots=3, context=400, end_ids=ends, one_by_one=one_by_one)
    alone = said(single, temperature)
    assert single.model_seconds > 0
    for name, turns in rows.items():
        assert [each.token_ids for each in turns] == [each.token_ids for each in alone[name]]
        for ours, theirs in zip(turns, alone[name], strict=True):
            assert ours.logprobs == pytest.approx(theirs.logprobs, abs=1e-5)


def test_no_conversation_crosses_new_weights(shared: Worker) -> None:
    engine = SingleEngine(shared.model, slots=2, context=400, end_ids=[])
    assert engine.collect() == []
    engine.submit("one", [7], 2, seed=0)
    for refused in (engine.rest, lambda: engine.update(list)):
        with pytest.raises(HeldoutError, match="while 1 conversations are open"):
            refused()
    engine.release("one")
    assert engine.collect() == []
    engine.update(list)


def opened(room: int = 3, temperature: float = 1.0) -> Open:
    return Open(conversation="door", room=room, temperature=temperature, rng=Random(0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_logits_that_are_no_numbers_are_refused(bad: float) -> None:
    for temperature in (0.0, 1.0):
        with pytest.raises(HeldoutError, match=r"no finite numbers \(conversation 'door', after 0 ids"):
            sample(torch.tensor([[0.0, bad, 1.0]]), [opened(temperature=temperature)])


def test_a_word_that_cannot_be_said_is_no_fault() -> None:
    [(token, logprob)] = sample(torch.tensor([[-torch.inf, 0.0, -torch.inf]]), [opened()])
    assert (token, logprob) == (1, 0.0)


def test_a_request_ends_at_an_end_token_or_where_its_room_does() -> None:
    request = opened(room=2)
    assert request.take(5, -0.5, {9}) is None
    assert request.take(6, -0.25, {9}) == Completion(
        conversation="door", token_ids=(5, 6), logprobs=(-0.5, -0.25), stop=Stop.LENGTH
    )
    ended = opened(temperature=0.0).take(9, -0.5, {9})
    assert ended == Completion(conversation="door", token_ids=(9,), logprobs=(0.0,), stop=Stop.END)
