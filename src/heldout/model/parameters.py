"""A learner's parameters behind one seam: whole ones here, and sharded ones elsewhere.

A step of 1e-6 is nothing to a bfloat16 number of 0.02, whose neighbours are 1e-4 away. So weights that the
model holds in fewer than 32 bits are kept in float32 beside it: gradients are summed there, steps are taken
there, and the model gets them rounded.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from heldout.errors import NotFinite
from heldout.store.files import readable_as_its_folder

Reduce = Callable[[Tensor], None]
"""Sums a tensor over every process that learns together, in place."""
WEIGHT = "weight"
"""What a weight is called beside its moments in the optimizer's file."""


def alone(tensor: Tensor) -> None:
    """The sum over one process."""
    del tensor


def not_finite(tensors: Iterable[tuple[str, Tensor]]) -> str:
    """The name of the first tensor that holds NaN or inf; empty where none does."""
    for name, tensor in tensors:
        # In 64 bits no sum of finite numbers of fewer bits is infinite.
        if not torch.isfinite(tensor.detach().sum(dtype=torch.float64)):
            return name
    return ""


class Parameters(Protocol):
    """What a learner changes, and the optimizer that changes it."""

    def zero(self) -> None:
        """Forget the gradient."""
        ...

    def collect(self) -> None:
        """Take over what one backward pass has left."""
        ...

    def norm(self) -> float:
        """The norm of the gradient over all processes; after it the gradient is that of all of them."""
        ...

    def step(self, lr: float, scale: float) -> None:
        """One optimizer step, on the gradient times that."""
        ...

    def reset(self) -> None:
        """Begin with the weights that the model has now, and an optimizer that remembers nothing."""
        ...

    def save(self, path: Path) -> None:
        """Write all that the model itself does not hold."""
        ...

    def load(self, path: Path) -> None:
        """Take what `save` wrote."""
        ...


@final
class WholeParameters:
    """All of a model's parameters in this process, alike in every process that learns together."""

    def __init__(self, model: Any, *, betas: tuple[float, float], weight_decay: float, reduce: Reduce) -> None:
        self._reduce = reduce
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._weights = [p if p.dtype.itemsize >= 4 else p.detach().float() for p in self._parameters]
        self._rounded = [(p, w) for p, w in zip(self._parameters, self._weights, strict=True) if p is not w]
        self.optimizer = torch.optim.AdamW(self._weights, lr=0.0, betas=betas, weight_decay=weight_decay)

    def zero(self) -> None:
        """Forget the gradient."""
        self.optimizer.zero_grad()

    def collect(self) -> None:
        """Adds a backward pass's gradient of the rounded weights to that of the weights themselves."""
        for parameter, weight in self._rounded:
            if parameter.grad is not None:
                weight.grad = _gradient(weight) + parameter.grad
                parameter.grad = None

    def norm(self) -> float:
        """Sums the gradient over all processes, tensor by tensor: no copy of all of it is ever made."""
        for weight in self._weights:
            weight.grad = _gradient(weight)
            self._reduce(weight.grad)
        return float(torch.nn.utils.get_total_norm([_gradient(weight) for weight in self._weights]))

    @torch.no_grad()
    def step(self, lr: float, scale: float) -> None:
        """One optimizer step, on the gradient times that; the model gets the new weights rounded."""
        for weight in self._weights:
            weight.grad = _gradient(weight).mul_(scale)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        for parameter, weight in self._rounded:
            parameter.copy_(weight)
            weight.grad = None

    @torch.no_grad()
    def reset(self) -> None:
        """Moments of zero, as a fresh optimizer has them."""
        self.optimizer.state.clear()
        for parameter, weight in self._rounded:
            weight.copy_(parameter)

    def save(self, path: Path) -> None:
        """The optimizer's moments, by the parameters' order, and the weights that the model has only rounded.

        One that is NaN or inf is refused: with a second moment of inf a weight would never move again.
        """
        tensors = dict[str, Tensor]()
        for index, (parameter, weight) in enumerate(zip(self._parameters, self._weights, strict=True)):
            for name, value in self.optimizer.state.get(weight, {}).items():
                tensors[f"{index}.{name}"] = value.contiguous()
            if weight is not parameter:
                tensors[f"{index}.{WEIGHT}"] = weight
        if key := not_finite(tensors.items()):
            raise NotFinite(f"the optimizer holds NaN or inf in {key!r}, so no checkpoint is written")
        save_file(tensors, path)
        readable_as_its_folder(path)

    @torch.no_grad()
    def load(self, path: Path) -> None:
        """Moments and weights as they were saved."""
        for key, value in load_file(path).items():
            index, _, name = key.partition(".")
            weight = self._weights[int(index)]
            if name == WEIGHT:
                weight.copy_(value)
                continue
            # AdamW counts its steps on the CPU, wherever the parameter lies.
            self.optimizer.state[weight][name] = value if name == "step" else value.to(weight.device)


def _gradient(parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
