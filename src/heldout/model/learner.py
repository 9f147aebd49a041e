"""One model that learns: an algorithm's loss over micro-batches, and one optimizer step for a batch or several."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor

from heldout.errors import HeldoutError
from heldout.learn.batch import Batch, Sample, micro_batches
from heldout.learn.losses import ESTIMATORS, SURROGATES, Tokens, truncated_importance_weight
from heldout.learn.methods import Method
from heldout.model.entropy import divergence, entropy
from heldout.model.parameters import Parameters, Reduce, WholeParameters, alone
from heldout.model.scorer import TokenScorer

Cut = Callable[[Sequence[Sample], int], list[Batch]]
"""Cuts a batch into micro-batches by a budget of ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What one update minimises."""

    method: Method = field(default_factory=lambda: Method(kl=0.0))
    lr: float
    entropy: float = 0.0
    updates_per_batch: int = 1
    temperature: float = 1.0
    max_grad_norm: float = 1.0
    batch_tokens: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an update did, over the trained tokens of all processes; of several optimizer steps, the last one.

    An optimizer step whose gradient has no finite norm is not made, in any process, nor is any after it.
    """

    loss: float
    grad_norm: float
    entropy: float
    """Mean entropy of the policy at the trained positions, in nats a token."""
    clip_fraction: float
    kl: float
    mismatch: float
    """Mean |learner − engine| of the log-probabilities."""
    tokens: int
    seconds: float
    optimizer_steps: int = 1
    """How many were made."""

    @property
    def is_skipped(self) -> bool:
        """Whether the gradient's norm was NaN or inf, and so nothing was changed by it."""
        return not math.isfinite(self.grad_norm)


Tell = Callable[[int, int], None]
"""Hears how much of a piece of work is done, and how much there is."""


def unheard(done: int, in_all: int) -> None:
    """Nobody hears it."""


@final
class Learner:
    """Holds the model, its parameters and, where a stage anchors to one, the reference."""

    def __init__(
        self,
        model: Any,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.01,
        reference: Any = None,
        reduce: Reduce = alone,
        parameters: Parameters | None = None,
    ) -> None:
        self.model = model
        self.parameters: Parameters = parameters or WholeParameters(
            model, betas=betas, weight_decay=weight_decay, reduce=reduce
        )
        self._policy = TokenScorer(model)
        self._reference = reference and TokenScorer(reference)
        self._reduce = reduce

    def learn(
        self,
        samples: Sequence[Sample],
        objective: Objective,
        cut: Cut = micro_batches,
        tell: Tell = unheard,
    ) -> Update:
        """The updates of one batch; every process gives its share of the samples and gets the same weights.

        `tell` hears how many micro-batches were gone through, and how many there are.
        """
        begun = time.perf_counter()
        batches = [batch.to(self.model.device) for batch in cut(samples, objective.batch_tokens)]
        # With several updates, the policy that the first one starts from is the old policy of them all.
        old = [self._logp(batch, objective) for batch in batches] if objective.updates_per_batch > 1 else None
        sums, norm, made = torch.zeros(6, dtype=torch.float64), 0.0, 0
        in_all = len(batches) * objective.updates_per_batch
        for _ in range(objective.updates_per_batch):
            self.parameters.zero()
            sums = torch.zeros(6, dtype=torch.float64)
            for index, batch in enumerate(batches):
                tell(made * len(batches) + index, in_all)
                sums += self._backward(batch, objective, old[index] if old else None)
                self.parameters.collect()
            norm = self.parameters.norm()
            # Before the step: what is no number would be in the weights, and in every checkpoint after it. The
            # gradient is that of all processes by now, so all of them skip, or none.
            if not math.isfinite(norm):
                self.parameters.zero()
                break
            self.parameters.step(objective.lr, min(1.0, objective.max_grad_norm / (norm + 1e-6)))
            made += 1
        self._reduce(sums)
        loss, entropy, clipped, kl, mismatch, tokens = sums.tolist()
        count = max(tokens, 1.0)
        return Update(
            loss=loss,
            grad_norm=norm,
            entropy=entropy / count,
            clip_fraction=clipped / count,
            kl=kl / count,
            mismatch=mismatch / count,
            tokens=int(tokens),
            seconds=time.perf_counter() - begun,
            optimizer_steps=made,
        )

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """Of each sequence in order: what the reference gives each of its sampled tokens, at that temperature."""
        order = sorted(range(len(samples)), key=lambda number: len(samples[number].ids))
        read = list[tuple[float, ...]]()
        for batch in micro_batches((samples[number] for number in order), batch_tokens):
            own = batch.to(self.model.device)
            logp_N = self._reference_logp(own, temperature)
            counts = own.row_N.bincount(minlength=len(own.ids_BT)).tolist()
            read += [tuple(part.tolist()) for part in torch.split(logp_N, counts)]
        return [each for _, each in sorted(zip(order, read, strict=True))]

    def reset_optimizer(self) -> None:
        """Begin with the weights that the model has now, as a fresh learner does."""
        self.parameters.reset()

    def save(self, path: Path) -> None:
        """What going on needs beside the model's weights."""
        self.parameters.save(path)

    def restore(self, path: Path) -> None:
        """What `save` wrote."""
        self.parameters.load(path)

    def _backward(self, batch: Batch, objective: Objective, old_logp_N: Tensor | None) -> Tensor:
        """Adds one micro-batch's gradient; gives its sums of loss, entropy, clips, KL, mismatch and tokens."""
        method = objective.method
        surrogate, is_clipped = SURROGATES[method.surrogate]
        logits_NV = self._policy(batch.ids_BT, batch.trained_BT, objective.temperature)
        logp_N = _chosen(logits_NV, batch.targets_N)
        # One update a batch: the old policy is the current one, and every ratio is 1.
        old_N = logp_N.detach() if old_logp_N is None else old_logp_N
        tokens = _tokens(batch, objective, logp_N, old_N)
        weight_N = batch.weights_N
        if method.is_off_policy:
            weight_N = weight_N * truncated_importance_weight(old_N, batch.rollout_logp_N)
        # A sum, since weights_N hold the means: so micro-batches and processes add up to the gradient of the batch.
        loss = (weight_N * surrogate(tokens)).sum()
        entropy_N = torch.zeros_like(logp_N)
        if method.sampled or objective.entropy:  # of what nobody sampled no entropy is asked
            entropy_N = entropy(logits_NV if objective.entropy else logits_NV.detach())
        if objective.entropy:
            loss = loss - objective.entropy * (batch.weights_N * entropy_N).sum()
        kl_N = torch.zeros_like(logp_N)
        if method.has_kl_loss:
            kl_N = self._kl(batch, objective, logits_NV, logp_N)
            loss = loss + method.kl * (batch.kl_weights_N * kl_N).sum()
        torch.autograd.backward(loss)
        mismatch_N = (logp_N.detach() - batch.rollout_logp_N).abs() * float(method.sampled)
        with torch.no_grad():
            clipped = is_clipped(tokens).sum()
        parts = (loss, entropy_N.sum(), clipped, kl_N.sum(), mismatch_N.sum())
        return torch.tensor([*(part.item() for part in parts), len(logp_N)], dtype=torch.float64)

    def _kl(self, batch: Batch, objective: Objective, logits_NV: Tensor, logp_N: Tensor) -> Tensor:
        """KL(π‖π_ref) at each token: over all words, or by an estimator from what was sampled."""
        if objective.method.kl_estimator == "exact":
            return divergence(logits_NV, self._reference_logits(batch, objective.temperature))
        estimate = ESTIMATORS[objective.method.kl_estimator]
        return estimate(logp_N, self._reference_logp(batch, objective.temperature))

    @torch.no_grad()
    def _logp(self, batch: Batch, objective: Objective) -> Tensor:
        return _chosen(self._policy(batch.ids_BT, batch.trained_BT, objective.temperature), batch.targets_N)

    def _reference_logp(self, batch: Batch, temperature: float) -> Tensor:
        return _chosen(self._reference_logits(batch, temperature), batch.targets_N)

    @torch.no_grad()
    def _reference_logits(self, batch: Batch, temperature: float) -> Tensor:
        if self._reference is None:
            raise HeldoutError("a KL term needs a reference model; none was given to the learner")
        logits_NV: Tensor = self._reference(batch.ids_BT, batch.trained_BT, temperature)
        return logits_NV


def _tokens(batch: Batch, objective: Objective, logp_N: Tensor, old_logp_N: Tensor) -> Tokens:
    return Tokens(
        logp_N=logp_N,
        old_logp_N=old_logp_N,
        advantage_N=batch.advantage_N,
        row_N=batch.row_N,
        clip_low=objective.method.clip,
        clip_high=objective.method.clip_high,
        level=objective.method.ratio,
    )


def _chosen(logits_NV: Tensor, targets_N: Tensor) -> Tensor:
    """The log-probability of each target."""
    return logits_NV.log_softmax(-1).gather(1, targets_N[:, None])[:, 0]
