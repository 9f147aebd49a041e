"""The rival: transformers' `generate`, which reads the whole conversation anew at each turn."""

import time
from collections.abc import Sequence
from typing import Any, final

import torch

from heldout.errors import BadCall
from heldout.model.engines.base import Completion, Weights
from heldout.records import Stop


@final
class GenerateEngine:
    """The same seam as ours, filled as a user of `generate` would: all open requests in one batch, in lock-step.

    Conversations are kept as ids (nothing is decoded and encoded again), padded on the left, and only
    those that wait for a reply are in the batch. Log-probabilities are not computed: that is to its favour.
    """

    def __init__(self, model: Any, *, slots: int, context: int, end_ids: Sequence[int], pad_id: int) -> None:
        self.slots = slots
        self.context = context
        self.model_seconds = 0.0
        """Time spent inside `generate`."""
        self._model = model
        self._end_ids = list(end_ids)
        self._pad_id = pad_id
        self._ids = dict[str, list[int]]()
        self._open = dict[str, tuple[int, int]]()
        """Of each open request: how many tokens it may have, and its seed."""

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Put the ids after all that the conversation has; a reply of up to `max_tokens` is asked for."""
        if temperature != 1.0:
            raise BadCall(f"the rival samples at temperature 1, not {temperature:g}")
        self._ids.setdefault(conversation, []).extend(ids)
        self._open[conversation] = (max_tokens, seed)

    def collect(self) -> list[Completion]:
        """Every open request, answered at once."""
        requests, self._open = self._open, {}
        if not requests:
            return []
        most = max(tokens for tokens, _ in requests.values())
        _, seed = next(iter(requests.values()))
        replies = self._generate([self._ids[name] for name in requests], most, seed)
        return [
            self._take(name, reply[:tokens])
            for (name, (tokens, _)), reply in zip(requests.items(), replies, strict=True)
        ]

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        self._ids.pop(conversation, None)
        self._open.pop(conversation, None)

    def rest(self) -> None:
        """Nothing is kept between calls of `generate`."""

    def update(self, weights: Weights) -> None:
        """The model's own weights are used."""
        del weights

    def _take(self, conversation: str, reply: list[int]) -> Completion:
        """The reply up to its end token, which is what the conversation goes on from."""
        end = next((i for i, token in enumerate(reply) if token in self._end_ids), None)
        ids = reply if end is None else reply[: end + 1]
        self._ids[conversation] += ids
        stop = Stop.LENGTH if end is None else Stop.END
        return Completion(conversation=conversation, token_ids=tuple(ids), logprobs=(0.0,) * len(ids), stop=stop)

    def _generate(self, prompts: list[list[int]], most: int, seed: int) -> list[list[int]]:
        longest = max(map(len, prompts))
        device = self._model.device
        ids_BT = torch.tensor([[self._pad_id] * (longest - len(ids)) + ids for ids in prompts], device=device)
        mask_BT = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts], device=device)
        begun = time.perf_counter()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            written_BT = self._model.generate(
                input_ids=ids_BT,
                attention_mask=mask_BT,
                do_sample=True,
                temperature=1.0,
                top_p=1.0,
                top_k=0,
                repetition_penalty=1.0,  # whatever the model's own settings say
                max_new_tokens=most,
                eos_token_id=self._end_ids,
                pad_token_id=self._pad_id,
            )
        replies: list[list[int]] = written_BT[:, longest:].tolist()
        self.model_seconds += time.perf_counter() - begun
        return replies
