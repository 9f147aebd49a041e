"""The mathematics of one update, token by token: `_N` is the trained tokens of a micro-batch.

Each function gives one value a token; the caller weighs and sums them, so a batch may be cut into
micro-batches and shared among processes without changing its gradient.
"""

import torch
from torch import Tensor

MOST_MISMATCH = 2.0
"""The largest weight of a token that the learner finds likelier than the engine that sampled it."""


def clipped_surrogate(logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, clip: float) -> Tensor:
    """Eq. 5 without its KL term: −min(ρ A, clip(ρ, 1 − ε, 1 + ε) A)."""
    ratio_N = (logp_N - old_logp_N).exp()
    clipped_N = ratio_N.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio_N * advantage_N, clipped_N * advantage_N)


def is_clipped(logp_N: Tensor, old_logp_N: Tensor, advantage_N: Tensor, clip: float) -> Tensor:
    """Where the clipped branch of Eq. 5 is the smaller one: those tokens have no gradient."""
    ratio_N = (logp_N - old_logp_N).exp()
    return ((ratio_N > 1 + clip) & (advantage_N > 0)) | ((ratio_N < 1 - clip) & (advantage_N < 0))


def mismatch_weight(old_logp_N: Tensor, rollout_logp_N: Tensor) -> Tensor:
    """exp(old − rollout), cut at `MOST_MISMATCH`: corrects for an engine that is not quite the learner."""
    return (old_logp_N - rollout_logp_N).exp().clamp(max=MOST_MISMATCH)


def k3(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """The k3 estimator of KL(π‖π_ref): exp(d) − d − 1 with d = reference − current; never negative."""
    difference_N = reference_logp_N - logp_N
    return difference_N.exp() - difference_N - 1
