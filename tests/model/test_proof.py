"""A model is sampled exactly or not at all; the proof is made before anything is played."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, FalconH1Config, LlamaConfig, Phi3Config, Qwen2Config

from heldout.errors import HeldoutError
from heldout.model import proof
from heldout.model.engines.hf import HfEngine
from heldout.model.engines.masks import CHUNKED, FULL, SLIDING, Masks, sizes_of, visible, windows_of
from heldout.model.engines.single import SingleEngine
from heldout.model.load import context_of

SHAPE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10_000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0] * 4,
}


def made(config: Any, **more: Any) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config(**{**SHAPE, "max_position_embeddings": 256, **more})).eval()
    with torch.no_grad():
        for each in model.parameters():
            each.mul_(3 if each.ndim > 1 else 1)
    return model


def windowed(size: int = 64) -> Any:
    return made(Qwen2Config, use_sliding_window=True, sliding_window=size, max_window_layers=0)


def blind(model: Any, **how: Any) -> HfEngine:
    """An engine that lets every position see all that came before it."""
    engine = HfEngine(model, **how)
    engine._masks = Masks(made(LlamaConfig))
    return engine


def test_a_window_is_kept_and_an_engine_without_one_is_found_out() -> None:
    model = windowed()
    assert proof.length_of_proof(model.config, 256) == 64 + proof.SHORT
    assert proof.rollout_difference(model, HfEngine, 104) < 1e-5
    assert proof.rollout_difference(model, SingleEngine, 104) < 1e-5
    assert proof.rollout_difference(model, blind, 104) > 0.01
    assert proof.rollout_difference(model, blind, 20) < 1e-5  # none of it is outside the window


@pytest.mark.parametrize(
    ("context", "length"),
    [(256, 104), (104, 88), (70, 54), (64, 40)],  # a window of 64 that a context of 64 cannot leave needs no proof
)
def test_a_proof_is_longer_than_the_windows_that_a_run_can_leave(context: int, length: int) -> None:
    assert proof.length_of_proof(windowed().config, context) == length


def test_what_no_engine_is_exact_for_is_refused_with_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "ENGINES", {"blind": blind})
    with pytest.raises(
        HeldoutError,
        match=r"Qwen2ForCausalLM cannot be sampled exactly \(blind: 0\.\d+ nats from a plain .*, over 0.001\)",
    ):
        proof.prove(windowed(), 256)


def test_rows_that_change_beside_longer_ones_are_refused() -> None:
    """Longrope's factors switch at 128 ids, for all rows of a batch."""
    model = made(Phi3Config, rope_parameters=LONGROPE, original_max_position_embeddings=128)
    assert proof.padding_difference(model, 150) > 0.001 > proof.padding_difference(model, 120)
    assert context_of(model) == 128  # held to the short factors, so no row changes
    assert proof.prove(model, context_of(model)).engine == "rows"


def test_few_bits_have_a_bound_of_their_own() -> None:
    model = windowed().to(torch.bfloat16)
    assert proof.bound_of(model) == proof.MOST_NARROW
    assert proof.prove(model, 256).engine == "rows"
    assert proof.rollout_difference(windowed(8).to(torch.bfloat16), blind, 104) > proof.MOST_NARROW


def test_a_proof_is_kept_by_weights_and_paid_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(proof, "KEPT_SECONDS", 0.0)
    model = windowed()
    first = proof.kept_proof(model, 256)
    [kept] = (tmp_path / "heldout" / "proofs").iterdir()
    kept.write_text('{"engine": "single", "difference": 0.5}')
    assert proof.kept_proof(model, 256) == proof.Proof(engine="single", difference=0.5)  # read, not made
    kept.write_text("{")
    assert proof.kept_proof(model, 256) == first
    with torch.no_grad():
        model.get_input_embeddings().weight[5] += 1
    proof.kept_proof(model, 256)
    proof.kept_proof(model.to(torch.bfloat16), 256)
    assert len(list((tmp_path / "heldout" / "proofs").iterdir())) == 3


@pytest.mark.parametrize(
    ("kind", "size", "seen"),
    [
        (FULL, 0, ["x......", "xxx....", "xxxxxx."]),
        (SLIDING, 2, ["x......", ".xx....", "....xx."]),
        (CHUNKED, 4, ["x......", "xxx....", "....xx."]),
    ],
)
def test_what_a_position_sees(kind: str, size: int, seen: list[str]) -> None:
    keys, positions = torch.arange(7), torch.tensor([0, 2, 5])[:, None]
    assert drawn(visible(kind, size, keys, positions)) == seen


def test_padding_behind_the_end_of_a_chunk_sees_something() -> None:
    """At position 4 a new chunk of 4 begins, whose key is stored beyond the 4 that are seen."""
    assert drawn(visible(CHUNKED, 4, torch.arange(4), torch.tensor([[4]]))) == ["xxxx"]


def test_the_kinds_of_attention_are_read_from_a_configuration() -> None:
    assert sizes_of(LlamaConfig(**SHAPE)) == {FULL: 0}
    mixed = Qwen2Config(**{**SHAPE, "use_sliding_window": True, "sliding_window": 64, "max_window_layers": 1})
    assert sizes_of(mixed) == {FULL: 0, SLIDING: 64}
    assert windows_of(mixed) == [1, 64]  # max_window_layers is no window, and does no harm
    with pytest.raises(HeldoutError, match="has layers of hybrid, which keep no keys by position"):
        sizes_of(FalconH1Config(num_hidden_layers=1))


def drawn(seen: Tensor) -> list[str]:
    return ["".join("x" if each else "." for each in row) for row in seen.tolist()]
