from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    GraniteConfig,
    HyperCLOVAXConfig,
    LlamaConfig,
    NanoChatConfig,
    Qwen2Config,
)

from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.learn.methods import IMITATION
from heldout.model.engines.hf import HfEngine
from heldout.model.head import check_head, head_of
from heldout.model.learner import Learner, Objective

IDS = [3 + (7 * at + at * at) % 60 for at in range(20)]
MODELS = {
    "multiplied": Qwen2Config,
    "not tied": LlamaConfig,
    "divided": lambda **shape: GraniteConfig(**shape, logits_scaling=8.0),
    "scaled": lambda **shape: CohereConfig(**shape, logit_scale=0.0625),
    "capped": lambda **shape: NanoChatConfig(**shape, final_logit_softcapping=3.0),
}


def made(config: Any) -> Any:
    """A small model of that kind, with words loud enough for a cap to be felt."""
    shape = {
        "vocab_size": 64,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config(**shape), attn_implementation="sdpa").eval()
    with torch.no_grad():
        model.get_output_embeddings().weight *= 20
    return model


def logp(model: Any, ids: list[int]) -> Tensor:
    """Of each id after the first, by the model's own forward pass."""
    with torch.no_grad():
        logp_TV: Tensor = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return logp_TV[:-1].gather(1, torch.tensor(ids)[1:, None])[:, 0]


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_logits_are_the_models_own(config: Any) -> None:
    model = made(config)
    check_head(model)
    with torch.no_grad():
        own = model(input_ids=torch.tensor([IDS])).logits
        ours = head_of(model)(model.base_model(input_ids=torch.tensor([IDS])).last_hidden_state)
    assert torch.allclose(ours, own, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", MODELS.values(), ids=MODELS)
def test_what_is_sampled_and_what_is_learned_have_the_models_own_log_probabilities(config: Any) -> None:
    model = made(config)
    engine = HfEngine(model, slots=1, context=256, end_ids=[2])
    engine.submit("one", IDS, 5, seed=0)
    [sampled] = engine.collect()
    known = logp(model, [*IDS, *sampled.token_ids])
    assert sampled.logprobs == pytest.approx(known[len(IDS) - 1 :].tolist(), abs=1e-5)
    weights = (0.0, *[1 / 19] * 19)
    update = Learner(model).learn([Sample(ids=tuple(IDS), weights=weights)], Objective(method=IMITATION, lr=0.0))
    assert update.loss == pytest.approx(-float(known[:19].mean()), rel=1e-5)


def test_a_model_with_a_way_of_its_own_is_refused() -> None:
    model = made(lambda **shape: HyperCLOVAXConfig(**shape, logits_scaling=0.5))
    with pytest.raises(HeldoutError, match="HyperCLOVAXForCausalLM makes its logits in a way of its own"):
        check_head(model)
