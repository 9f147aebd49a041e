"""Writes the table of docs/models.md: each kind of causal language model, and what heldout does with it.

Each is made tiny and random (four layers, windows of 24), played for several turns, learned from, and compared with
its own forward pass. `python tools/zoo.py` takes some minutes; tests/model/test_zoo.py holds what it finds.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.learn.methods import IMITATION
from heldout.model.head import check_head
from heldout.model.learner import Learner, Objective
from heldout.model.load import context_of
from heldout.model.proof import ENGINES, kept_proof

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
CONTEXT = 400
WINDOW = 24
LARGEST = 8_000_000

SHAPE: Mapping[str, Any] = {
    # sizes
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "word_embed_proj_dim", "embedding_size"), 32),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "n_inner", "d_ff", "decoder_ffn_dim", "encoder_ffn_dim"), 48),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers", "n_layers"), 4),
    **dict.fromkeys(("decoder_layers", "encoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input"), 128),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), 512),
    "num_key_value_heads": 2,
    "head_dim": 8,
    "rotary_dim": 4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
    # windows
    **dict.fromkeys(("sliding_window", "attention_window", "attention_chunk_size"), WINDOW),
    "use_sliding_window": True,
    "max_window_layers": 2,
    # experts
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts"), 4),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 16),
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    # keys and values behind a smaller vector
    **dict.fromkeys(("q_lora_rank", "kv_lora_rank"), 16),
    **dict.fromkeys(("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim", "hidden_size_per_layer_input"), 8),
    "laurel_rank": 4,
    "num_kv_shared_layers": 0,
    # states
    **dict.fromkeys(("mamba_d_state", "mamba_d_head", "state_size", "ssm_state_size", "mamba_head_dim"), 8),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim"), 8),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads", "linear_num_value_heads"), 4),
    **dict.fromkeys(("mamba_n_groups", "n_groups", "mamba_expand"), 1),
    "mamba_d_ssm": 32,
    "linear_num_key_heads": 2,
    "conv_L_cache": 3,
}
"""What a configuration gets of what it knows."""

TEXT = {name: SHAPE[name] for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers")} | {
    name: SHAPE[name] for name in ("num_attention_heads", "num_key_value_heads", "head_dim", "sliding_window")
}
SIGHT = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
    "patch_size": 14,
}
MORE: Mapping[str, Mapping[str, Any]] = {
    "bamba": {"attn_layer_indices": [1, 3]},
    "dots1": {"n_shared_experts": 1},
    "gemma3": {"text_config": TEXT, "vision_config": SIGHT, "mm_tokens_per_image": 4},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]], "window_size": WINDOW},
    "granitemoehybrid": {"layer_types": ["linear_attention", "full_attention"] * 2},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1},
    "kimi_linear": {"layer_types": ["linear_attention", "full_attention"] * 2},
    "lfm2": {"layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2, "num_dense_layers": 1},
    "mamba2": {"num_heads": 8, "expand": 2},
    "phi3": {
        "rope_parameters": {
            "rope_type": "longrope",
            "rope_theta": 10_000.0,
            "long_factor": [4.0] * 4,
            "short_factor": [1.0] * 4,
        },
        "original_max_position_embeddings": 128,
    },
}
"""What single kinds need beside."""


def kinds() -> list[str]:
    """The names of all kinds."""
    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def made(kind: str, **more: Any) -> Any:
    """A model of that kind, with words a little louder than random ones, so that a fault is seen.

    ValueError where none so small can be made: it is larger, or needs a package or an argument of its own.
    """
    config_class = CONFIG_MAPPING[kind]
    known = {name for each in config_class.__mro__ for name in vars(each).get("__annotations__", {})}
    shape = {name: value for name, value in SHAPE.items() if name in known}
    if "qk_rope_head_dim" in known:  # there a head's size follows from its parts, and each has keys of its own
        shape.pop("head_dim", None)
        shape["num_key_value_heads"] = SHAPE["num_attention_heads"]
    try:
        return _made(config_class(**{**shape, **MORE.get(kind, {}), **more}))
    except Exception as error:  # a kind's own code
        raise ValueError(str(error)) from error


def _made(config: Any) -> Any:
    with torch.device("meta"):
        size = sum(each.numel() for each in AutoModelForCausalLM.from_config(config).parameters())
    if size > LARGEST:
        raise ValueError(f"it has {size} parameters")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():
        for each in model.parameters():
            if each.ndim > 1:
                each.mul_(2)
        model(input_ids=torch.tensor([[3, 4, 5]]))
    return model


def answers(engine: Any, rounds: int = 3) -> dict[str, tuple[list[int], dict[int, float]]]:
    """Five conversations of several turns, in a schedule of its own: all ids, and what is said of some."""
    rng = Random(5)
    talks: dict[str, tuple[list[int], dict[int, float]]] = {}
    left = dict.fromkeys("abcde", rounds)

    def submit(name: str) -> None:
        ids, _ = talks.setdefault(name, ([], {}))
        read = [rng.randrange(3, 120) for _ in range(rng.choice([2, 9, 40]))]
        ids += read
        engine.submit(name, read, rng.choice([1, 4, 7]), seed=rng.randrange(1000))

    for name in left:
        submit(name)
    while done := engine.collect():
        for each in done:
            ids, said = talks[each.conversation]
            for token, logprob in zip(each.token_ids, each.logprobs, strict=True):
                said[len(ids)] = logprob
                ids.append(token)
            left[each.conversation] -= 1
            if left[each.conversation]:
                submit(each.conversation)
            else:
                engine.release(each.conversation)
    return talks


def outcome(kind: str) -> str:
    """The engine that a model gets, with all that was sampled and learned found exact; or why it is refused."""
    model = made(kind)
    context = context_of(model, CONTEXT)
    try:
        check_head(model)
        proof = kept_proof(model, context)
    except HeldoutError as error:
        return f"refused: {error}"
    talks = answers(ENGINES[proof.engine](model, slots=5, context=context, end_ids=[2]))
    known = {name: logp_of(model, ids) for name, (ids, _) in talks.items()}
    for name, (ids, said) in talks.items():
        for at, logprob in said.items():
            off = abs(logprob - float(known[name][at - 1, ids[at]]))
            assert off <= 1e-3, f"{kind}: sampled {off:.2g} nats from the model's own pass"
    rows = [ids for ids, _ in talks.values()]
    count = sum(len(row) - 1 for row in rows)
    samples = [Sample(ids=tuple(row), weights=(0.0, *[1 / count] * (len(row) - 1))) for row in rows]
    update = Learner(model).learn(samples, Objective(method=IMITATION, lr=0.0))
    losses = [
        -float(known[name][at, ids[at + 1]]) for name, (ids, _) in talks.items() for at in range(len(ids) - 1)
    ]
    off = abs(update.loss - sum(losses) / count)
    assert off <= 1e-4 * abs(update.loss), f"{kind}: learned {off:.2g} nats from the model's own pass"
    return proof.engine


def logp_of(model: Any, ids: list[int]) -> Tensor:
    """By the model's own forward pass, of every word after every id."""
    with torch.no_grad():
        logits_TV: Tensor = model(input_ids=torch.tensor([ids])).logits[0]
    return logits_TV.float().log_softmax(-1)


def table(found: Mapping[str, str]) -> str:
    """The kinds by what is done with them."""
    groups = {
        "rows": "Exact, many conversations side by side",
        "single": "Exact, one conversation after another",
        "single, id by id": "Exact, one conversation after another, each later id read by itself",
        "refused": "Refused, with the reason",
        "unmade": "Not tried: no tiny one can be made here",
    }
    parts = list[str]()
    for group, title in groups.items():
        kinds = [kind for kind, said in found.items() if said.partition(":")[0].removesuffix(", padded") == group]
        parts.append(f"**{title}** ({len(kinds)}): {', '.join(kinds)}.")
    return "\n\n".join(parts)


def found_of(kind: str) -> str:
    """What is done with a kind; `unmade` where no tiny one of it can be made."""
    try:
        return outcome(kind)
    except ValueError as error:
        return f"unmade: {error}"


def page() -> str:
    """The page with the table of today."""
    text = PAGE.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + begin + table({kind: found_of(kind) for kind in kinds()}) + end + after


BEGIN, END = "<!-- written by tools/zoo.py -->\n", "\n<!-- end -->"

transformers.utils.logging.set_verbosity_error()
warnings.filterwarnings("ignore", module="transformers")

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
