"""The mathematics of one update, token by token: `_N` is the trained tokens of a micro-batch.

Each function gives one value a token; the caller weighs and sums them, so a batch may be cut into
micro-batches and shared among processes without changing its gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

IMPORTANCE_WEIGHT_CAP = 2.0
"""The largest weight of a token that the learner finds likelier than the engine that sampled it."""
KL_LOG_RATIO_CAP = 20.0
"""The largest d of the k3 estimator: TRL's bound wherever it bounds a log-ratio (its own k3 has none), and verl's.

In float32 exp(d) is inf from 88.7 on, and one such token would be the whole batch.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a loss is made of; every tensor has a value for each trained token."""

    logp_N: Tensor
    """Under the policy that learns; the only one with a gradient."""
    old_logp_N: Tensor
    """Under the policy that the update starts from."""
    advantage_N: Tensor
    row_N: Tensor
    """Which sequence of the micro-batch a token is of: ratios of whole sequences are sums by it."""
    clip_low: float
    """ε below 1."""
    clip_high: float
    """ε above 1."""

    @property
    def ratio_N(self) -> Tensor:
        """ρ: how much likelier the token has become."""
        return (self.logp_N - self.old_logp_N).exp()


Loss = Callable[[Tokens], Tensor]
"""A value for each token."""


def clipped_surrogate(tokens: Tokens) -> Tensor:
    """Eq. 5 without its KL term: −min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)."""
    ratio_N, advantage_N = tokens.ratio_N, tokens.advantage_N
    clipped_N = ratio_N.clamp(1 - tokens.clip_low, 1 + tokens.clip_high)
    # The smaller of the two is a lower bound: a step is never paid for going further than the clip, but what has
    # gone too far in the wrong direction still has its gradient back.
    return -torch.minimum(ratio_N * advantage_N, clipped_N * advantage_N)


def is_clipped(tokens: Tokens) -> Tensor:
    """Where the clipped branch of Eq. 5 is the smaller one: those tokens have no gradient."""
    # Only in the direction that the advantage pulls: the other way the unclipped branch is the smaller one.
    above_N = (tokens.ratio_N > 1 + tokens.clip_high) & (tokens.advantage_N > 0)
    below_N = (tokens.ratio_N < 1 - tokens.clip_low) & (tokens.advantage_N < 0)
    return above_N | below_N


def negative_log_likelihood(tokens: Tokens) -> Tensor:
    """−log p: what imitation minimises."""
    return -tokens.logp_N


def is_never(tokens: Tokens) -> Tensor:
    """Nowhere."""
    return torch.zeros_like(tokens.logp_N, dtype=torch.bool)


def truncated_importance_weight(old_logp_N: Tensor, rollout_logp_N: Tensor) -> Tensor:
    """exp(old − rollout), cut at `IMPORTANCE_WEIGHT_CAP`: corrects for an engine that is not quite the learner.

    Truncated importance sampling: without the cut one token that the engine found all but impossible would outweigh
    its whole batch.
    """
    return (old_logp_N - rollout_logp_N).exp().clamp(max=IMPORTANCE_WEIGHT_CAP)


def k3(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """The k3 estimator of KL(π‖π_ref): exp(d) − d − 1 with d = reference − current; never negative.

    d is cut at `KL_LOG_RATIO_CAP`, so no token counts for more than 4.9e8; what is beyond has no gradient.
    """
    # d alone (k1) is unbiased too, but of either sign and noisy; exp(d) - 1 has mean 0 and takes the noise out.
    difference_N = (reference_logp_N - logp_N).clamp(max=KL_LOG_RATIO_CAP)
    return difference_N.exp() - difference_N - 1
