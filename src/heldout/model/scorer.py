"""A model as the learner needs it: logits of the trained positions, in one module's forward pass.

Body and head run inside one `forward`: parameters that are sharded over processes are gathered by hooks on it, and
a head that is called from outside meets only its own shard.
"""

from typing import Any, final

from torch import Tensor, nn

from heldout.model.head import body_of, head_of


@final
class TokenScorer(nn.Module):
    """Wraps a causal language model."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self._head = head_of(model)

    def forward(self, ids_BT: Tensor, trained_BT: Tensor, temperature: float) -> Tensor:
        """Logits at the positions whose next id is trained, and at no others: N tokens × V words, in float32."""
        hidden_BTE = body_of(self.model)(input_ids=ids_BT, use_cache=False).last_hidden_state
        logits_NV: Tensor = self._head(hidden_BTE[trained_BT]) / temperature
        return logits_NV
