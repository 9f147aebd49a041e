"""What one process does with a model: play its share of episodes, learn its share of a batch, save."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

from heldout.config import Limits, Source
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, HeldoutError, Unavailable
from heldout.learn.batch import Sample
from heldout.model import load
from heldout.model.chat import Chat, chat_of
from heldout.model.entropy import Entropies, divergences, entropies
from heldout.model.learner import Learner, Objective, Tell, Update, unheard
from heldout.model.local import LocalPolicy
from heldout.model.parameters import Reduce, alone
from heldout.model.proof import LocalEngine, engine_for
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.store.files import refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What a process needs to begin."""

    model: str
    source: Source
    reference: str | None = None
    """The model that a KL term anchors to."""
    device: str = "cpu"
    slots: int = 64
    chat_template: str = ""
    """In place of the tokenizer's own: a file, or a name of `model/chat.py`'s own."""
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.01


class Backend(Protocol):
    """Whoever plays and learns with one model: a `Worker` in this process, or a `ProcessBackend` of several."""

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories, as they finish: sort by name where order matters."""
        ...

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """One batch; `tell` hears of its micro-batches."""
        ...

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """Of each sequence in order: what the reference gives each of its sampled tokens."""
        ...

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """Episodes that somebody else has played, with the ids that the model would have read and said."""
        ...

    def save(self, folder: Path, state: bool = True) -> None:
        """The weights as a Hugging Face folder, and beside them the optimizer's state."""
        ...

    def load(self, name: str) -> None:
        """The weights of a model by its name or folder, and an optimizer that remembers nothing."""
        ...

    def restore(self, folder: Path) -> None:
        """Weights and optimizer as they were saved."""
        ...


class Reader(Backend, Protocol):
    """A backend whose model can also read what another one played."""

    def entropies(
        self, samples: Sequence[Sample], temperatures: Sequence[float], batch_tokens: int = 8192
    ) -> Entropies:
        """How random the model is at the sequences' sampled positions: at each temperature sum and count."""
        ...

    def divergences(
        self, samples: Sequence[Sample], temperature: float = 1.0, batch_tokens: int = 8192
    ) -> Entropies:
        """KL(reference ‖ model) at the sequences' sampled positions, exactly: sum and count."""
        ...


@final
class Worker:
    """A model that plays and learns, in the process that it is made in."""

    def __init__(self, config: WorkerConfig, reduce: Reduce = alone) -> None:
        self.config = config
        self.model, self.tokenizer = load.load(config.model, config.device, config.chat_template)
        self.chat = chat_of(self.tokenizer, load.end_ids(self.model))
        self.engine = engine_on(self.model, self.chat, slots=config.slots)
        self._reference = self._load_reference(config.reference) if config.reference else None
        self.learner = Learner(
            self.model,
            betas=config.betas,
            weight_decay=config.weight_decay,
            reference=self._reference,
            reduce=reduce,
        )

    def _load_reference(self, name: str) -> Any:
        """The model that a KL term holds on to; one of other words is refused, since ids would mean others."""
        model, tokenizer = load.load(name, self.config.device)
        if tokenizer.get_vocab() != self.tokenizer.get_vocab():
            raise BadCall(
                f"a KL term compares words, and {name} has others than {self.config.model}: "
                "choose a reference with the same tokenizer"
            )
        return model

    @property
    def model_seconds(self) -> float:
        """Time spent inside the model while playing, for those who measure."""
        return self.engine.model_seconds

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories of these assignments, as they finish."""
        policy = LocalPolicy(self.chat, self.engine, temperature)
        try:
            yield from play(policy, assignments, limits, self.suite)
        finally:  # whoever waits for no more leaves conversations open
            policy.close()
            self.engine.rest()

    def room(self, task: Task) -> tuple[int, int]:
        """How many ids the task's opening has, and how many a conversation may have.

        Of a task whose environment does not answer now nothing is known: it counts as one of no ids.
        """
        suite = self.suite(task.env)
        try:
            opening = suite.opening(suite.open(task).start().observation)
        except Unavailable:
            return 0, self.engine.context
        return len(self.chat.opening(opening)), self.engine.context

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """One batch; every process of a `ProcessBackend` must be given its share at the same time."""
        self.engine.rest()  # refused while a conversation is open: none crosses an update
        update = self.learner.learn(samples, objective, tell=tell)
        self._update_engine()
        return update

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """Of each sequence in order: what the reference gives each of its sampled tokens."""
        return self.learner.reference_logprobs(samples, temperature, batch_tokens)

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """Episodes that somebody else has played, with the ids that the model would have read and said."""
        return [self.chat.spelled(trajectory) for trajectory in trajectories]

    def entropies(
        self, samples: Sequence[Sample], temperatures: Sequence[float], batch_tokens: int = 8192
    ) -> Entropies:
        """How random the model is at the sequences' sampled positions: at each temperature sum and count."""
        return entropies(self.model, samples, temperatures, batch_tokens)

    def divergences(
        self, samples: Sequence[Sample], temperature: float = 1.0, batch_tokens: int = 8192
    ) -> Entropies:
        """KL(reference ‖ model) at the sequences' sampled positions, exactly: sum and count."""
        if self._reference is None:
            raise HeldoutError("a divergence needs a reference model; none was given to the worker")
        return divergences(self._reference, self.model, samples, temperature, batch_tokens)

    def save(self, folder: Path, state: bool = True) -> None:
        """The weights as a Hugging Face folder, and beside them the optimizer's state."""
        with _refusals(folder):
            load.save(self.model, self.tokenizer, folder)
            if state:
                self.learner.save(folder / "optimizer.safetensors")

    def load(self, name: str) -> None:
        """The weights of a model by its name or folder, and an optimizer that remembers nothing."""
        self.engine.rest()
        model, _ = load.load(name, self.config.device)
        self.model.load_state_dict(model.state_dict())
        self.learner.reset_optimizer()
        self._update_engine()

    def restore(self, folder: Path) -> None:
        """Weights and optimizer as they were saved."""
        self.load(str(folder))
        self.learner.restore(folder / "optimizer.safetensors")
        self._update_engine()

    def _update_engine(self) -> None:
        self.engine.update(self.model.named_parameters)

    def suite(self, name: str) -> Suite:
        """The environment of that name over this worker's source of tasks."""
        return open_suite(name, self.config.source)


def engine_on(model: Any, chat: Chat, *, slots: int) -> LocalEngine:
    """An engine on a model's weights; replies end where its template or the model itself ends them."""
    return engine_for(
        model,
        slots=max(1, slots),
        context=load.context_of(model),
        end_ids=sorted({chat.end_id, *load.end_ids(model)}),
    )


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """Turns a refusal of the operating system into one line.

    safetensors and tokenizers are Rust, and tell it in errors of their own; of tokenizers it is a bare Exception.
    """
    try:
        with refusals(folder, "write"):
            yield
    except Exception as error:
        if "os error" not in str(error):
            raise
        raise HeldoutError(f"could not write {folder}: {error}") from error
