"""How far a checkpoint is from the base: the forward KL in what the base itself said when it was measured.

A predictor of forgetting (RL's Razor, arXiv 2509.04259): what moved little in a task's words forgot little of it.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from heldout.agents import suites_of
from heldout.analysis.scores import Cell
from heldout.backend.worker import Reader
from heldout.config import Config
from heldout.errors import HeldoutError
from heldout.evaluation.measure import Identity, Wanted, wanted_episodes
from heldout.learn.batch import samples_of
from heldout.records import Trajectory
from heldout.study.controls import Drift
from heldout.study.plan import Study

TASKS = 48
"""Of each cell so many tasks' first attempts are read: some thousands of positions, in seconds."""


def drift_episodes(study: Study, cells: Iterable[Cell], identity: Identity) -> set[tuple[object, ...]]:
    """The keys of the base's episodes that are read."""
    return {wanted.key for cell in cells for wanted in _episodes(study, cell, identity)}


def _episodes(study: Study, cell: Cell, identity: Identity) -> Iterable[Wanted]:
    config = study.config
    plain = [each for each in study.measured if each.cell == cell and each.variant is None]
    tasks = min(TASKS, *(each.tasks or config.evaluate.tasks or TASKS for each in plain))
    settings = replace(config.evaluate, samples=1, tasks=tasks)
    limits = replace(config.limits, max_turns=config.evaluate.max_turns)
    return wanted_episodes(suites_of(config), [cell], identity, settings, limits)


def forward_kl(backend: Reader, said: Iterable[Trajectory], streams: Collection[str], config: Config) -> Drift:
    """Of the backend's model from its reference, in these streams' trajectories; of one played twice the last."""
    played = {each.stream: each for each in said if each.stream in streams}
    samples = samples_of([played[stream] for stream in sorted(played)], [1.0] * len(played))
    if not samples:
        raise HeldoutError("the base said nothing in its measured episodes: there is no KL to take")
    [(nats, tokens)] = backend.divergences(samples, config.evaluate.temperature or 1.0, config.train.batch_tokens)
    return Drift(kl=nats / tokens, tokens=tokens, episodes=len(played))
