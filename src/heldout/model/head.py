"""A model's body, and its head: most only multiply hidden states to logits, some scale or cap what comes of it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from heldout.errors import HeldoutError


def body_of(model: Any) -> Any:
    """What makes a model's last hidden states; some call their whole model its body, and keep it under `model`."""
    return model.model if model.base_model is model else model.base_model


def head_of(model: Any) -> Callable[[Tensor], Tensor]:
    """What makes float32 logits of a model's last hidden states, as its own forward pass does.

    The engine and the learner need logits at few positions only, so neither runs that pass.
    """
    head, config = model.get_output_embeddings(), model.config.get_text_config()
    scale = getattr(config, "logit_scale", None) or 1 / (getattr(config, "logits_scaling", None) or 1.0)
    cap = getattr(config, "final_logit_softcapping", None)

    def logits(hidden: Tensor) -> Tensor:
        plain: Tensor = head(hidden).float() * scale
        return torch.tanh(plain / cap) * cap if cap else plain

    return logits


@torch.no_grad()
def check_head(model: Any) -> None:
    """Refuses a model whose logits come about in a way that `head_of` does not know: others would be sampled."""
    ids_BT = torch.tensor([[0, 1, 2]], device=model.device)
    known = model(input_ids=ids_BT, use_cache=False).logits.float()
    try:
        made = head_of(model)(body_of(model)(input_ids=ids_BT, use_cache=False).last_hidden_state)
    except (AttributeError, RuntimeError, TypeError):  # no such body, or another layer between it and the head
        made = None
    if made is None or not torch.allclose(made, known, rtol=0.02, atol=0.02 * float(known.abs().max())):
        raise HeldoutError(
            f"{type(model).__name__} makes its logits in a way of its own, which heldout does not follow yet "
            "(it knows logit_scale, logits_scaling and final_logit_softcapping)"
        )
