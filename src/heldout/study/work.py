"""The pieces that a study is made of, as values: what is to be trained, matched and measured.

Each is small, frozen and can be pickled, and names all that it needs: with the study and its folder it can be done
in any process, on any machine that sees the folder. `perform` does one.
"""

from dataclasses import dataclass

from heldout.analysis.scores import Cell
from heldout.chains import Chain, chain_name


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainWork:
    """Train the last stage of a chain, from where the chain before it ends."""

    chain: Chain
    """Its last stage says nothing of where it ends: two lengths of a stage are one training."""
    until: int
    """The step after which there is to be a checkpoint."""
    seed: int

    @property
    def title(self) -> str:
        """As people are told of it."""
        return f"train {chain_name(self.chain)} to step {self.until}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchWork:
    """Seek the temperature at which the base's replies have a checkpoint's entropy."""

    chain: Chain
    step: int
    seed: int

    @property
    def title(self) -> str:
        """As people are told of it."""
        return f"match the base to {chain_name(self.chain)}@{self.step}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureWork:
    """Measure a checkpoint, or the base, in one cell at one temperature."""

    chain: Chain
    """The base is the chain of no stage."""
    step: int
    """0 of the base."""
    seed: int
    cell: Cell
    tasks: int | None
    """The first so many of the cell's tasks; None is all."""
    samples: int
    """Attempts at each task."""
    temperature: float | None
    """0 decodes greedily; None is the one that `match_temperature` finds."""
    matched: MatchWork | None = None

    @property
    def title(self) -> str:
        """As people are told of it."""
        warm = "matched temperature" if self.temperature is None else f"temperature {self.temperature:g}"
        return f"measure {chain_name(self.chain)}@{self.step} on {self.cell.name}, {warm}, seed {self.seed}"


Work = TrainWork | MatchWork | MeasureWork
