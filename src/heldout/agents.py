"""A name → whoever plays: `oracle`, `random`, `pocket`, a model folder, or a name at Hugging Face."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, final

import torch

from heldout.backend.processes import ProcessBackend, default_processes
from heldout.backend.worker import WorkerConfig
from heldout.chains import Chain, chain_name, parse_chain, training_chain
from heldout.config import Config, Limits, pocket
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.evaluation.measure import Identity
from heldout.learn.methods import method_of
from heldout.model.folder import CONFIG, read_object
from heldout.model.identity import model_digest, weights_digest, words_digest
from heldout.model.load import POCKET, hub_name_of, place_of
from heldout.model.pocket import CONTEXT
from heldout.policies import privileged, unprivileged
from heldout.policies.scripted import ScriptedPolicy
from heldout.records import Json, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import Play, play
from heldout.rollout.limits import Room
from heldout.store import lineage
from heldout.store.lineage import model_of
from heldout.store.runs import StudyFolder

PLAYERS = {"oracle": privileged.oracle, "random": unprivileged.random, "random-legal": privileged.random}
"""They need no model and play in this process; all but `random` see the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who plays, or what a chain starts from: its name, and what it is whatever it is called."""

    model: str
    """What is loaded: `pocket`, a folder, a name at Hugging Face; or a player's name."""
    base: str
    """What people call the model that its chain starts from."""
    digest: str
    """Of that model."""
    chain: Chain = ()
    """What it was trained on, if it is a checkpoint of ours."""
    step: int = 0
    stages: tuple[Json, ...] = ()
    """The facts of the chain's stages, each with its steps."""

    @property
    def seed(self) -> int | None:
        """The seed that its last stage was trained by; None where nothing was trained."""
        return self.stages[-1]["seed"] if self.stages else None

    @property
    def identity(self) -> str:
        """Names what plays by what decided its weights."""
        if not self.stages:
            return self.digest
        *before, last = self.stages
        training = {"base": self.digest, "stages": [*before, {k: v for k, v in last.items() if k != "steps"}]}
        return model_of(training, last["steps"])


def agent_of(name: str, chat_template: str = "") -> Agent:
    """The agent of that name; a checkpoint of ours says itself what it went through.

    One that reads and speaks by another tokenizer or template than it was trained with is a base of its own.
    """
    if name in PLAYERS:
        return Agent(model=name, base=name, digest=name)
    place = place_of(name)
    known = lineage.read(place, weights_digest(place)) if lineage.is_in(place) else None
    if known is None or known.words not in ("", words_digest(name, chat_template)):
        called = hub_name_of(name) or place.resolve().name
        return Agent(model=name, base=called, digest=model_digest(name, chat_template))
    return Agent(
        model=name,
        base=known.base,
        digest=known.training["base"],
        chain=parse_chain(known.chain),
        step=known.step,
        stages=tuple(known.stages),
    )


def identity_of(agent: Agent, study: StudyFolder, seed: int) -> Identity:
    """Whose rows an agent's are; those of a checkpoint say its chain and its step."""
    return Identity(
        study=study.root.name,
        base=agent.base,
        model=agent.identity,
        chain=chain_name(training_chain(agent.chain) if agent.chain else ()),
        seed=seed,
        step=agent.step,
    )


def defaults_of(model: str) -> Config:
    """The pocket model's for it and for models with a context as short, such as one trained from it."""
    if model == POCKET:
        return pocket()
    elsewhere = model in PLAYERS or hub_name_of(model)  # a configuration is to be had without a network
    return Config() if elsewhere or _context(place_of(model)) > CONTEXT else pocket()


def _context(folder: Path) -> float:
    described = folder / CONFIG
    context = read_object(described).get("max_position_embeddings") if described.is_file() else None
    return context if context and isinstance(context, int) else float("inf")


def device() -> str:
    """Where models are held here."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def processes_of(config: Config) -> int:
    """How many processes play and learn here."""
    return config.processes or default_processes()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAgent:
    """An agent that is ready to play."""

    play: Play
    room: Room | None = None
    """How long its openings and its conversations are; players have no such limit."""


@contextmanager
def open_agent(name: str, config: Config) -> Iterator[OpenAgent]:
    """Plays episodes as the named agent, at the temperature of the configuration's evaluation."""
    if name in PLAYERS:
        yield OpenAgent(play=player(name, config))
        return
    with open_backend(name, config) as backend:
        yield OpenAgent(play=partial(backend.play, temperature=config.evaluate.temperature), room=backend.room)


def player(name: str, config: Config) -> Play:
    """How one of `PLAYERS` plays: in this process, at once."""
    return partial(_play_player, PLAYERS[name], suites_of(config))


def open_backend(name: str, config: Config, reference: str | None = None) -> ProcessBackend:
    """Processes that hold the named model; what is no model is refused before any starts."""
    return ProcessBackend(_worker_config(name, config, reference), processes_of(config))


@final
class Backends:
    """Opens backends, and keeps the last one open for the next piece of work that can do with it."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._kept: tuple[WorkerConfig, int, ProcessBackend] | None = None
        self._used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def used(self) -> bool:
        """Whether any was opened: whether there was anything to do."""
        return self._used

    def drop(self) -> None:
        """Closes the one that is kept, such as one whose processes died: the next piece opens another."""
        self._kept = None
        self._open.close()

    def open(
        self, config: Config, model: str, *, to_learn: bool = True, reference: str | None = None
    ) -> ProcessBackend:
        """A backend for that configuration; its weights are whatever it held: `load` gives it others.

        A KL term holds on to the model itself where no other reference is named; one that is named is held anyway.
        """
        wanted = _worker_config(model, config, reference or (model if method_of(config.train).kl else None))
        size = processes_of(config)
        if self._kept is None or not self._serves(wanted, size, to_learn):
            self.drop()
            backend = self._open.enter_context(ProcessBackend(wanted, size))
            self._kept, self._used = (wanted, size, backend), True
        return self._kept[2]

    def _serves(self, wanted: WorkerConfig, size: int, to_learn: bool) -> bool:
        """Whether the kept one does: to play, what is learned by may differ."""
        assert self._kept is not None
        worker_config, kept_size, _ = self._kept
        if to_learn:
            return (worker_config, kept_size) == (wanted, size)
        plays_as = replace(worker_config, reference=wanted.reference, weight_decay=wanted.weight_decay)
        return (plays_as, kept_size) == (wanted, size)


def _worker_config(model: str, config: Config, reference: str | None) -> WorkerConfig:
    return WorkerConfig(
        model=model,
        source=config.source,
        reference=reference,
        device=device(),
        slots=config.slots,
        chat_template=config.chat_template,
        weight_decay=config.train.weight_decay,
    )


def suites_of(config: Config) -> Callable[[str], Suite]:
    """Opens environments by name over the configuration's task source."""

    def suite(name: str) -> Suite:
        return open_suite(name, config.source)

    return suite


def _play_player(
    policy: Callable[[Callable[[str], Suite]], ScriptedPolicy],
    suites: Callable[[str], Suite],
    assignments: Iterable[Assignment],
    limits: Limits,
) -> Iterator[Trajectory]:
    return play(policy(suites), assignments, limits, suites)
