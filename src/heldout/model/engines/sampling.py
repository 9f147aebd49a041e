"""What all engines do with log-probabilities: draw an id from a request's own stream, and note what was drawn."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

import torch
from torch import Tensor

from heldout.errors import NotFinite
from heldout.model.engines.base import Completion
from heldout.records import Stop


@dataclass(slots=True, eq=False, kw_only=True)
class Open:
    """A request that is being answered."""

    conversation: str
    room: int
    """Ids that may still be sampled."""
    temperature: float
    rng: Random
    sampled: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    numbers: deque[float] = field(default_factory=deque)
    """Of the stream: those that were looked at and belong to ids that are still to come."""

    def number(self, ahead: int) -> float:
        """The stream's number for the id after so many that are still to come."""
        while len(self.numbers) <= ahead:
            self.numbers.append(self.rng.random())
        return self.numbers[ahead]

    def take(self, token: int, logprob: float, end_ids: Iterable[int]) -> Completion | None:
        """One more id; the finished request, if that was the last."""
        if self.numbers:
            self.numbers.popleft()
        self.sampled.append(token)
        self.logprobs.append(logprob if self.temperature else 0.0)
        self.room -= 1
        ended = token in end_ids
        if not ended and self.room > 0:
            return None
        return Completion(
            conversation=self.conversation,
            token_ids=tuple(self.sampled),
            logprobs=tuple(self.logprobs),
            stop=Stop.END if ended else Stop.LENGTH,
        )


def sample(
    logits_BV: Tensor, requests: Sequence[Open], ahead: Sequence[int] | None = None
) -> list[tuple[int, float]]:
    """One id a request, and its log-probability: where its stream's next number falls in the cumulated ones.

    A request may have several rows: `ahead` says of each how many of its ids are still to come before this one.
    Logits that are no numbers are refused: an id drawn from them would be one that nobody chose.
    """
    device = logits_BV.device
    temperatures_B1 = torch.tensor([[each.temperature or 1.0] for each in requests], device=device)
    logprobs_BV = (logits_BV / temperatures_B1).log_softmax(-1)
    ids_B = _draw(logprobs_BV, requests, ahead or [0] * len(requests))
    chosen_B = logprobs_BV.gather(1, ids_B[:, None])[:, 0]
    drawn = list(zip(ids_B.tolist(), chosen_B.tolist(), strict=True))
    for request, (_, logprob) in zip(requests, drawn, strict=True):
        if not logprob > -torch.inf:
            raise NotFinite(
                f"the model's logits are no finite numbers (conversation {request.conversation!r}, after "
                f"{len(request.sampled)} ids of a reply): its weights hold NaN or inf, or have run away"
            )
    return drawn


def _draw(logprobs_BV: Tensor, requests: Sequence[Open], ahead: Sequence[int]) -> Tensor:
    if not any(each.temperature for each in requests):
        return logprobs_BV.argmax(-1)
    cumulated_BV = logprobs_BV.exp().cumsum(-1, dtype=torch.float64)
    draws = [each.number(later) for each, later in zip(requests, ahead, strict=True)]
    draws_B1 = torch.tensor(draws, dtype=torch.float64, device=logprobs_BV.device)[:, None] * cumulated_BV[:, -1:]
    drawn_B = torch.searchsorted(cumulated_BV, draws_B1, right=True)[:, 0].clamp(max=logprobs_BV.shape[1] - 1)
    if all(each.temperature for each in requests):
        return drawn_B
    is_greedy_B = torch.tensor([not each.temperature for each in requests], device=logprobs_BV.device)
    return torch.where(is_greedy_B, logprobs_BV.argmax(-1), drawn_B)
