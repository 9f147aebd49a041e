"""One model, its optimizer, and the two ways it learns here: from demonstrations and from rewards.

A step of 1e-6 is nothing to a bfloat16 number of 0.02, whose neighbours are 1e-4 away. So weights that the
model holds in fewer than 32 bits are kept in float32 beside it: gradients are summed there, steps are taken
there, and the model gets them rounded.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from heldout.errors import HeldoutError
from heldout.learn.batch import Batch, Sample, micro_batches
from heldout.learn.losses import clipped_surrogate, is_clipped, k3, mismatch_weight
from heldout.model.head import head_of
from heldout.store.files import readable_as_its_folder

Reduce = Callable[[Tensor], None]
"""Sums a tensor over every process that learns together, in place."""
Cut = Callable[[Sequence[Sample], int], list[Batch]]
"""Cuts a batch into micro-batches by a budget of ids."""
Parts = tuple[Any, Callable[[Tensor], Tensor]]
"""A model's body, and what makes logits of what it gives."""
WEIGHT = "weight"
"""What a weight is called beside its moments in the optimizer's file."""


def alone(tensor: Tensor) -> None:
    """The sum over one process."""
    del tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What one update minimises; `imitation` ignores all but the learning rate."""

    imitation: bool = False
    lr: float
    clip: float = 0.2
    kl: float = 0.0
    entropy: float = 0.0
    updates: int = 1
    temperature: float = 1.0
    max_grad_norm: float = 1.0
    batch_tokens: int = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What an update did, over the trained tokens of all processes; of several optimizer steps, the last one."""

    loss: float
    grad_norm: float
    entropy: float
    """Mean entropy of the policy at the trained positions, in nats a token."""
    clip_share: float
    kl: float
    mismatch: float
    """Mean |learner − engine| of the log-probabilities."""
    tokens: int
    seconds: float


@final
class Learner:
    """Holds the weights, the optimizer and, where a stage anchors to one, the reference."""

    def __init__(
        self,
        model: Any,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.01,
        reference: Any = None,
        reduce: Reduce = alone,
    ) -> None:
        self.model = model
        self._policy = (model.base_model, head_of(model))
        self._reference = reference and (reference.base_model, head_of(reference))
        self._reduce = reduce
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._weights = [p if p.dtype.itemsize >= 4 else p.detach().float() for p in self._parameters]
        self._rounded = [(p, w) for p, w in zip(self._parameters, self._weights, strict=True) if p is not w]
        self.optimizer = torch.optim.AdamW(self._weights, lr=0.0, betas=betas, weight_decay=weight_decay)

    def learn(self, samples: Sequence[Sample], objective: Objective, cut: Cut = micro_batches) -> Update:
        """The updates of one batch; every process gives its share of the samples and gets the same weights."""
        begun = time.perf_counter()
        batches = cut(samples, objective.batch_tokens)
        # With several updates, the policy that the first one starts from is the old policy of them all.
        old = [self._logp(batch, objective) for batch in batches] if objective.updates > 1 else None
        sums, norm = torch.zeros(6, dtype=torch.float64), 0.0
        for _ in range(objective.updates):
            self.optimizer.zero_grad()
            sums = torch.zeros(6, dtype=torch.float64)
            for index, batch in enumerate(batches):
                sums += self._backward(batch, objective, old[index] if old else None)
                self._collect()
            norm = self._step(objective)
        self._reduce(sums)
        loss, entropy, clipped, kl, mismatch, tokens = sums.tolist()
        count = max(tokens, 1.0)
        return Update(
            loss=loss,
            grad_norm=norm,
            entropy=entropy / count,
            clip_share=clipped / count,
            kl=kl / count,
            mismatch=mismatch / count,
            tokens=int(tokens),
            seconds=time.perf_counter() - begun,
        )

    @torch.no_grad()
    def forget(self) -> None:
        """Begin with the weights that the model has now and moments of zero, as a fresh optimizer does."""
        self.optimizer.state.clear()
        for parameter, weight in self._rounded:
            weight.copy_(parameter)

    def save(self, path: Path) -> None:
        """The optimizer's moments, by the parameters' order, and the weights that the model has only rounded."""
        tensors = dict[str, Tensor]()
        for index, (parameter, weight) in enumerate(zip(self._parameters, self._weights, strict=True)):
            for name, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"{index}.{name}"] = value.contiguous()
            if weight is not parameter:
                tensors[f"{index}.{WEIGHT}"] = weight
        save_file(tensors, path)
        readable_as_its_folder(path)

    @torch.no_grad()
    def restore(self, path: Path) -> None:
        """Moments and weights as they were saved."""
        for key, value in load_file(path).items():
            index, _, name = key.partition(".")
            weight = self._weights[int(index)]
            if name == WEIGHT:
                weight.copy_(value)
                continue
            # AdamW counts its steps on the CPU, wherever the parameter lies.
            self.optimizer.state[weight][name] = value if name == "step" else value.to(weight.device)

    def _backward(self, batch: Batch, objective: Objective, old_logp_N: Tensor | None) -> Tensor:
        """Adds one micro-batch's gradient; gives its sums of loss, entropy, clips, KL, mismatch and tokens."""
        batch = batch.to(self.model.device)
        logits_NV = _logits(self._policy, batch, objective.temperature)
        logp_N = _chosen(logits_NV, batch.targets_N)
        if objective.imitation:
            loss = -(batch.weights_N * logp_N).sum()
            torch.autograd.backward(loss)
            return torch.tensor([loss.item(), 0.0, 0.0, 0.0, 0.0, len(logp_N)], dtype=torch.float64)
        old_N = logp_N.detach() if old_logp_N is None else old_logp_N
        weight_N = batch.weights_N * mismatch_weight(old_N, batch.rollout_logp_N)
        loss_N = clipped_surrogate(logp_N, old_N, batch.advantage_N, objective.clip)
        loss = (weight_N * loss_N).sum()
        entropy_N = _entropy(logits_NV if objective.entropy else logits_NV.detach())
        if objective.entropy:
            loss = loss - objective.entropy * (batch.weights_N * entropy_N).sum()
        kl_N = torch.zeros_like(logp_N)
        if objective.kl:
            kl_N = k3(logp_N, self._reference_logp(batch, objective.temperature))
            loss = loss + objective.kl * (batch.weights_N * kl_N).sum()
        torch.autograd.backward(loss)
        clipped = is_clipped(logp_N.detach(), old_N, batch.advantage_N, objective.clip).sum()
        mismatch = (logp_N.detach() - batch.rollout_logp_N).abs().sum()
        parts = (loss, entropy_N.sum(), clipped, kl_N.sum(), mismatch)
        return torch.tensor([*(part.item() for part in parts), len(logp_N)], dtype=torch.float64)

    def _collect(self) -> None:
        """Adds a micro-batch's gradient of the rounded weights to that of the weights themselves."""
        for parameter, weight in self._rounded:
            if parameter.grad is not None:
                weight.grad = _gradient(weight) + parameter.grad
                parameter.grad = None

    def _step(self, objective: Objective) -> float:
        """One optimizer step on the gradient of all processes; the norm that it had."""
        flat = torch.cat([_gradient(weight).flatten() for weight in self._weights])
        self._reduce(flat)
        norm = float(flat.norm())
        if not math.isfinite(norm):
            raise HeldoutError(f"the gradient's norm is {norm}: nothing was updated; try a lower lr")
        flat *= min(1.0, objective.max_grad_norm / (norm + 1e-6))
        offset = 0
        for weight in self._weights:
            size = weight.numel()
            weight.grad = flat[offset : offset + size].view_as(weight)
            offset += size
        for group in self.optimizer.param_groups:
            group["lr"] = objective.lr
        self.optimizer.step()
        with torch.no_grad():
            for parameter, weight in self._rounded:
                parameter.copy_(weight)
                weight.grad = None
        return norm

    @torch.no_grad()
    def _logp(self, batch: Batch, objective: Objective) -> Tensor:
        batch = batch.to(self.model.device)
        return _chosen(_logits(self._policy, batch, objective.temperature), batch.targets_N)

    @torch.no_grad()
    def _reference_logp(self, batch: Batch, temperature: float) -> Tensor:
        if self._reference is None:
            raise HeldoutError("a KL term needs a reference model; none was given to the learner")
        return _chosen(_logits(self._reference, batch, temperature), batch.targets_N)


def _logits(parts: Parts, batch: Batch, temperature: float) -> Tensor:
    """Logits at the positions that are trained, and at no others."""
    body, head = parts
    hidden_BTE = body(input_ids=batch.ids_BT, use_cache=False).last_hidden_state
    logits_NV: Tensor = head(hidden_BTE[batch.trained_BT]) / temperature
    return logits_NV


def _chosen(logits_NV: Tensor, targets_N: Tensor) -> Tensor:
    """The log-probability of each target."""
    return logits_NV.log_softmax(-1).gather(1, targets_N[:, None])[:, 0]


def _entropy(logits_NV: Tensor) -> Tensor:
    """Of each position's distribution, in nats."""
    logp_NV = logits_NV.log_softmax(-1)
    return -(logp_NV.exp() * logp_NV).sum(-1)


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
