"""The packed engine says what the padded one says; a draft changes how many steps it takes, and nothing else."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, FalconConfig, LlamaConfig, Qwen2Config
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from heldout.backend.worker import Worker
from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.errors import HeldoutError
from heldout.learn.batch import sequence_of
from heldout.model import proof
from heldout.model.engines.drafts import LONGEST, Drafts
from heldout.model.engines.hf import HfEngine
from heldout.model.engines.packed import PackedEngine
from heldout.model.engines.packed_attention import PackedAttention, Run
from heldout.model.engines.sampling import Open
from heldout.model.local import LocalPolicy
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Suites = Callable[[str], Suite]
LIMITS = Limits(max_turns=3, response_budget=600, reply_tokens=24)
SHAPE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


def played(worker: Worker, suites: Suites, engine: HfEngine | PackedEngine) -> list[Trajectory]:
    tasks = [task for env in ("corridor", "textcraft", "babyai") for task in suites(env).tasks("train")[:10]]
    work = [Assignment(task=task, attempt=k, seed=0, stream="packed") for task in tasks for k in range(3)]
    done = play(LocalPolicy(worker.chat, engine), work, LIMITS, suites)
    return sorted(done, key=lambda each: each.stream)


def engine_of(worker: Worker, kind: Any = PackedEngine, slots: int = 32) -> Any:
    return kind(worker.model, slots=slots, context=4096, end_ids=[worker.chat.end_id])


def largest_error(model: Any, ids: Sequence[int], sampled: Sequence[bool], logprobs: Sequence[float]) -> float:
    with torch.no_grad():
        logp_TV = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return max(abs(float(logp_TV[at - 1, ids[at]]) - logprobs[at]) for at in range(1, len(ids)) if sampled[at])


def wrong_drafts(words: int) -> Callable[..., list[int]]:
    """In place of `Drafts.after`: ids by chance, as many as are asked for or fewer."""
    rng = Random(0)

    def after(drafts: Drafts, recent: Sequence[int], most: int) -> list[int]:
        del drafts, recent
        return [rng.randrange(3, words) for _ in range(min(most, rng.randrange(12)))]

    return after


def test_episodes_are_those_of_the_padded_engine_and_exact(worker: Worker, trio: Suites) -> None:
    packed = played(worker, trio, engine_of(worker))
    padded = played(worker, trio, engine_of(worker, HfEngine))
    assert len(packed) == 90
    assert [sequence_of(each)[:2] for each in packed] == [sequence_of(each)[:2] for each in padded]
    assert max(largest_error(worker.model, *sequence_of(each)) for each in packed) < 1e-4


def test_few_slots_and_small_passes_change_no_id(
    worker: Worker, trio: Suites, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = played(worker, trio, engine_of(worker))
    monkeypatch.setattr("heldout.model.engines.packed.MOST_IDS", 50)
    done = played(worker, trio, engine_of(worker, slots=3))
    assert [sequence_of(each)[0] for each in done] == [sequence_of(each)[0] for each in known]


def test_drafts_save_steps_and_change_no_id(worker: Worker, trio: Suites, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = dict[str, list[tuple[tuple[int, ...], tuple[float, ...]]]]()
    steps = dict[str, int]()
    for name in ("drafts", "none"):
        engine = engine_of(worker)
        if name == "none":
            monkeypatch.setattr(Drafts, "after", lambda *_: [])
        forward, counted = engine._forward, list[int]()
        engine._forward = lambda parts, forward=forward, counted=counted: (counted.append(1), forward(parts))[1]
        done = played(worker, trio, engine)
        sizes[name] = [(turn.reply.token_ids, turn.reply.logprobs) for each in done for turn in each.turns]
        steps[name] = len(counted)
    assert [ids for ids, _ in sizes["drafts"]] == [ids for ids, _ in sizes["none"]]
    for (_, one), (_, other) in zip(sizes["drafts"], sizes["none"], strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert steps["drafts"] < 0.8 * steps["none"]


def test_a_draft_that_is_wrong_everywhere_changes_no_id(
    worker: Worker, trio: Suites, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = played(worker, trio, engine_of(worker))
    monkeypatch.setattr(Drafts, "after", wrong_drafts(200))
    done = played(worker, trio, engine_of(worker))
    assert [sequence_of(each)[0] for each in done] == [sequence_of(each)[0] for each in known]
    assert max(largest_error(worker.model, *sequence_of(each)) for each in done) < 1e-4


def test_what_followed_is_guessed_again_and_what_changed_only_after_it_came_twice() -> None:
    drafts = Drafts()
    drafts.note([1, 2, 3], 4)
    drafts.note([2, 3, 4], 5)
    assert drafts.after([9, 1, 2, 3], 8) == [4, 5]
    assert drafts.after([1, 2, 3], 1) == [4]
    drafts.note([1, 2, 3], 7)
    assert drafts.after([1, 2, 3], 8) == []
    drafts.note([1, 2, 3], 7)
    assert drafts.after([1, 2, 3], 8) == [7]
    drafts.clear()
    assert drafts.after([1, 2, 3], 8) == []


def test_a_draft_has_an_end_where_what_follows_goes_in_a_circle() -> None:
    drafts = Drafts()
    drafts.note([5, 5, 5], 5)
    assert drafts.after([5, 5, 5], 100) == [5] * LONGEST


def test_a_stream_is_looked_at_ahead_and_used_in_order() -> None:
    rng, request = Random(3), Open(conversation="a", room=9, temperature=1.0, rng=Random(3))
    first, second, third = (rng.random() for _ in range(3))
    assert [request.number(ahead) for ahead in (2, 0, 1)] == [third, first, second]
    request.take(5, -1.0, ())
    assert request.number(0) == second


@pytest.mark.parametrize(
    "config",
    [
        LlamaConfig(**SHAPE),
        Qwen2Config(**SHAPE, use_sliding_window=True, sliding_window=20, max_window_layers=1),
        LlamaConfig(**{**SHAPE, "num_key_value_heads": 4}),
        LlamaConfig(**SHAPE, head_dim=12),
    ],
)
def test_windows_and_shapes_of_heads_are_exact_in_pieces_and_in_drafts(
    config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Drafts, "after", wrong_drafts(60))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    assert proof.rollout_difference(model, PackedEngine, 80) < 1e-4


def test_a_model_that_looks_its_attention_up_elsewhere_gets_the_padded_engine() -> None:
    torch.manual_seed(0)
    falcon = AutoModelForCausalLM.from_config(
        FalconConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
    ).eval()
    before = ALL_ATTENTION_FUNCTIONS["sdpa"]
    with pytest.raises(Exception, match=r"looked up|match|shape|size"):
        proof.rollout_difference(falcon, PackedEngine, 40)
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is before
    assert proof.prove(falcon, 256).engine == "rows, padded"


def test_another_model_may_be_read_while_ours_takes_the_place_of_attention() -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(LlamaConfig(**SHAPE)).eval()
    ids = torch.tensor([[3, 4, 5, 6]])
    known = model(input_ids=ids).logits
    attention = PackedAttention(model, rows=2, context=64)
    with (
        pytest.raises(HeldoutError, match="not looked up as 'sdpa'"),
        attention.over([Run(place=0, start=0, count=4)]),
    ):
        assert torch.equal(model(input_ids=ids).logits, known)


def test_it_is_made_for_processors() -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(LlamaConfig(**SHAPE))
    with pytest.raises(HeldoutError, match="made for a CPU, not meta"):
        PackedEngine(model, slots=1, context=64, end_ids=())
