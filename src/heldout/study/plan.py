"""A study as data: chains × seeds × evaluations × a configuration, and what of it has to be trained."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from heldout.analysis.scores import Cell
from heldout.config import Config, pathless
from heldout.records import Chain, digest, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One cell that a study measures before and after."""

    cell: Cell
    tasks: int | None = None
    """On how many of its tasks; None is as many as the configuration says."""
    controls: bool = True
    """Whether the base is measured here in the controls' ways too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What is to be known, and nothing about how far it is."""

    name: str
    base: str
    """The model that every chain starts from."""
    chains: tuple[Chain, ...]
    seeds: tuple[int, ...]
    measured: tuple[Measured, ...]
    """Where the base and the end of every chain are measured."""
    config: Config

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that are measured."""
        return tuple(each.cell for each in self.measured)

    @property
    def digest(self) -> str:
        """Names the study by its content."""
        return digest(to_json(replace(self, config=pathless(self.config))))


def to_train(chains: Iterable[Chain]) -> list[Chain]:
    """Every prefix once, shortest first, so that a shared beginning is trained once."""
    prefixes = {chain[:length] for chain in chains for length in range(1, len(chain) + 1)}
    return sorted(prefixes, key=lambda chain: (len(chain), chain))
