"""A name → whoever plays: `oracle`, `random`, `pocket`, a model folder, or a name at Hugging Face."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch

from heldout.config import Config, Limits
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.model.crew import Crew
from heldout.model.load import place_of
from heldout.model.worker import Setting
from heldout.policies import twin
from heldout.policies.scripted import Spoken
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import Play, play

PLAYERS = {"oracle": twin.oracle, "random": twin.random}
"""The players that see the world; they need no model and play in this process."""


@contextmanager
def open_agent(name: str, config: Config) -> Iterator[Play]:
    """Plays episodes as the named agent, at the temperature of the configuration's evaluation."""
    if name in PLAYERS:
        suites = suites_of(config)
        yield partial(_scripted, PLAYERS[name], suites)
        return
    with open_crew(name, config) as crew:
        yield partial(crew.play, temperature=config.evaluate.temperature)


def open_crew(name: str, config: Config, reference: str | None = None) -> Crew:
    """Processes that hold the named model; a wrong name is refused before any starts."""
    place_of(name)
    setting = Setting(
        model=name,
        source=config.source,
        reference=reference,
        device="cuda" if torch.cuda.is_available() else "cpu",
        weight_decay=config.train.weight_decay,
    )
    return Crew(setting, config.processes)


def suites_of(config: Config) -> Callable[[str], Suite]:
    """Opens environments by name over the configuration's task source."""

    def suite(name: str) -> Suite:
        return open_suite(name, config.source)

    return suite


def _scripted(
    player: Callable[[Callable[[str], Suite]], Spoken],
    suites: Callable[[str], Suite],
    assignments: Iterable[Assignment],
    limits: Limits,
) -> Iterator[Trajectory]:
    return play(player(suites), assignments, limits, suites)
