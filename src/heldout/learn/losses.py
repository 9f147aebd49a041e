"""The mathematics of one update, token by token: `_N` is the trained tokens of a micro-batch.

Each function gives one value a token; the caller weighs and sums them, so a batch may be cut into
micro-batches and shared among processes without changing its gradient.
"""

from collections.abc import Callable, Mapping
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
    level: str = "token"
    """Whose ratio is taken: `token`, `sequence` or `product`; those of a whole row stand at each of its tokens."""

    @property
    def ratio_N(self) -> Tensor:
        """ρ: how much likelier the token has become, or its row: by the mean of the log-ratios (GSPO, arXiv
        2507.18071, Eq. 7), or by their sum, which is the ratio that Eq. 5 prints."""
        log_ratio_N = self.logp_N - self.old_logp_N
        if self.level == "token":
            return log_ratio_N.exp()
        counts = self.row_N.bincount()
        sums = torch.zeros(len(counts), dtype=log_ratio_N.dtype, device=log_ratio_N.device)
        sums = sums.index_add(0, self.row_N, log_ratio_N)
        of_rows = sums / counts.clamp(min=1) if self.level == "sequence" else sums
        return of_rows.exp()[self.row_N]


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


def clipped_weight(tokens: Tokens) -> Tensor:
    """−sg(clip(ρ, 1 − ε, 1 + ε)) A log p: every token keeps its gradient, and only its weight is clipped (CISPO,
    MiniMax-M1, arXiv 2506.13585, Eq. 4)."""
    weight_N = tokens.ratio_N.clamp(1 - tokens.clip_low, 1 + tokens.clip_high).detach()
    return -weight_N * tokens.advantage_N * tokens.logp_N


def is_weight_clipped(tokens: Tokens) -> Tensor:
    """Where CISPO's weight is cut."""
    return (tokens.ratio_N > 1 + tokens.clip_high) | (tokens.ratio_N < 1 - tokens.clip_low)


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


def nothing(tokens: Tokens) -> Tensor:
    """0: what a method minimises that learns by its KL term alone."""
    return 0.0 * tokens.logp_N


SURROGATES: Mapping[str, tuple[Loss, Loss]] = {
    "clipped": (clipped_surrogate, is_clipped),
    "clipped_weight": (clipped_weight, is_weight_clipped),
    "likelihood": (negative_log_likelihood, is_never),
    "none": (nothing, is_never),
}
"""What is minimised at each token, and where it is clipped."""


def k1(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """The k1 estimator of KL(π‖π_ref): current − reference; unbiased, of either sign."""
    return logp_N - reference_logp_N


def k2(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """The k2 estimator: half the square of current − reference, cut at `KL_LOG_RATIO_CAP`.

    Its gradient is that of the KL itself, as k1's in the reward is.
    """
    return (logp_N - reference_logp_N).clamp(-KL_LOG_RATIO_CAP, KL_LOG_RATIO_CAP).square() / 2


def k3(logp_N: Tensor, reference_logp_N: Tensor) -> Tensor:
    """The k3 estimator of KL(π‖π_ref): exp(d) − d − 1 with d = reference − current; never negative.

    d is cut at `KL_LOG_RATIO_CAP`, so no token counts for more than 4.9e8; what is beyond has no gradient.
    """
    # d alone (k1) is unbiased too, but of either sign and noisy; exp(d) - 1 has mean 0 and takes the noise out.
    difference_N = (reference_logp_N - logp_N).clamp(max=KL_LOG_RATIO_CAP)
    return difference_N.exp() - difference_N - 1


ESTIMATORS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"k1": k1, "k2": k2, "k3": k3}
"""Of the KL from the reference, token by token, from the log-probabilities of what was sampled."""
