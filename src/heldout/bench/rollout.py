"""How fast rollouts are: our engine against transformers' `generate` or our padded one, on one work in turn."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any, Protocol

import torch

from heldout.bench.generate import GenerateEngine
from heldout.bench.machine import Machine, machine, one_thread
from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.learn.batch import sequence_of
from heldout.model import load
from heldout.model.chat import Chat, chat_of
from heldout.model.engines.base import Engine
from heldout.model.engines.hf import HfEngine
from heldout.model.local import LocalPolicy
from heldout.model.proof import engine_for
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

GENERATE, PADDED = RIVALS = ("generate", "padded")
"""What ours is measured beside: transformers' own loop, or its attention over rows of our own cache."""
WARM_UP = 1
"""Turns of the play before the first round, which is not counted."""


class _Timed(Engine, Protocol):
    """An engine that says how long it was inside its model."""

    model_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is played in every run."""

    suite: Suite
    limits: Limits
    episodes: int
    in_flight: int
    rounds: int
    seed: int
    rival: str = GENERATE

    @property
    def assignments(self) -> list[Assignment]:
        """As many episodes as asked for: each training task once, then each a second time, and so on."""
        tasks = self.suite.tasks("train")
        places = (divmod(number, len(tasks)) for number in range(self.episodes))
        return [
            Assignment(task=tasks[index], attempt=attempt, seed=self.seed, stream="bench")
            for attempt, index in places
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one engine did with the work."""

    episodes: int
    turns: int
    tokens: int
    """That the model itself sampled."""
    length: float
    """Ids of an episode, its prompt and observations included; the mean."""
    seconds: float
    cpu_seconds: float
    model_seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens in a second of wall time."""
        return self.tokens / self.seconds

    @property
    def tokens_per_cpu_second(self) -> float:
        """The same by processor time, which other work on the machine disturbs less."""
        return self.tokens / self.cpu_seconds

    @property
    def episodes_per_second(self) -> float:
        """Episodes played to their end in a second of wall time."""
        return self.episodes / self.seconds

    @property
    def outside(self) -> float:
        """Share of wall time outside the model: environments, tokenising, sampling, scheduling."""
        return 1 - self.model_seconds / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Runs in pairs: the two engines in turn, so that what disturbs the machine disturbs both."""

    ours: Sequence[Run]
    rival: Sequence[Run]
    before: Machine
    after: Machine

    @property
    def ratio(self) -> float:
        """How many times as many tokens a second ours generates: the median over pairs."""
        pairs = zip(self.ours, self.rival, strict=True)
        return median(our.tokens_per_second / rival.tokens_per_second for our, rival in pairs)

    @property
    def cpu_ratio(self) -> float:
        """The same by processor time."""
        pairs = zip(self.ours, self.rival, strict=True)
        return median(our.tokens_per_cpu_second / rival.tokens_per_cpu_second for our, rival in pairs)


def compare(model: str, work: Work, tell: Callable[[int, Run], None]) -> Comparison:
    """Plays the work with both engines in turn, on one thread; a short play that is not counted comes first.

    `tell` hears of each run, and how many there were.
    """
    with one_thread():
        chat, *both = _engines(model, work.in_flight, work.rival)
        for make in both:
            _time_play(make(), chat, replace(work, limits=replace(work.limits, max_turns=WARM_UP)))
        before, runs = machine(), list[Run]()
        for make in both * work.rounds:
            runs.append(_time_play(make(), chat, work))
            tell(len(runs), runs[-1])
        return Comparison(ours=runs[::2], rival=runs[1::2], before=before, after=machine())


def _engines(model: str, slots: int, rival: str) -> tuple[Chat, Callable[[], _Timed], Callable[[], _Timed]]:
    """The model's chat, and what makes our engine and the rival's on the same weights."""
    network, tokenizer = load.load(model, "cuda" if torch.cuda.is_available() else "cpu")
    chat = chat_of(tokenizer, load.end_ids(network))
    pad = chat.end_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    shared: dict[str, Any] = {
        "slots": slots,
        "context": load.context_of(network),
        "end_ids": sorted({chat.end_id, *load.end_ids(network)}),
    }
    rivals: dict[str, Callable[[], _Timed]] = {
        GENERATE: lambda: GenerateEngine(network, **shared, pad_id=pad),
        PADDED: lambda: HfEngine(network, **shared),
    }
    return chat, lambda: engine_for(network, **shared), rivals[rival]


def _time_play(engine: _Timed, chat: Chat, work: Work) -> Run:
    """One play of the work."""
    begun, cpu_begun = time.perf_counter(), time.process_time()
    policy = LocalPolicy(chat, engine)
    played = list(play(policy, work.assignments, work.limits, lambda _: work.suite))
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu_begun
    return Run(
        episodes=len(played),
        turns=sum(len(trajectory.turns) for trajectory in played),
        tokens=sum(trajectory.generated_tokens for trajectory in played),
        length=fmean(len(sequence_of(trajectory)[0]) for trajectory in played),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        model_seconds=engine.model_seconds,
    )
