"""The pieces that a study is made of, as values: what is to be trained, matched, chosen and measured.

Each is small, frozen and can be pickled, and names all that it needs: with the study and its folder it can be done
in any process, on any machine that sees the folder. `perform` does one.
"""

from dataclasses import dataclass

from heldout.analysis.scores import Cell
from heldout.chains import Chain, chain_name
from heldout.config import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyWork:
    """Tell easy tasks from hard by a reference model's avg@k on all training and test tasks: before all else."""

    model: str
    """The reference."""
    envs: tuple[str, ...]
    samples: int = 8
    """k of avg@k."""
    tasks: int | None = None
    """So many of each split, drawn by hash; None is all."""
    seed: int = 0

    @property
    def title(self) -> str:
        """As people are told of it."""
        return f"tell easy from hard by {self.model}, avg@{self.samples}"


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
class TuneWork:
    """Seek the temperature at which the base does best on training tasks of a cell's kind."""

    cell: Cell
    seed: int

    @property
    def title(self) -> str:
        """As people are told of it."""
        return f"choose the base's temperature for {self.cell.name}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWork:
    """Take the forward KL from the base to a checkpoint, in what the base was measured to say in an environment."""

    chain: Chain
    step: int
    seed: int
    cells: tuple[Cell, ...]
    """Of one environment."""

    @property
    def env(self) -> str:
        """The environment."""
        return self.cells[0].env

    @property
    def title(self) -> str:
        """As people are told of it."""
        return f"forward KL of {chain_name(self.chain)}@{self.step} in {self.env}, seed {self.seed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureWork:
    """Measure a checkpoint, the base or a player in one cell at one temperature."""

    chain: Chain
    """The base, and a player, is the chain of no stage."""
    step: int
    """0 of the base."""
    seed: int
    cell: Cell
    variant: Variant | None = None
    """Under which it is measured; None is as the configuration has it."""
    tasks: int | None
    """The first so many of the cell's tasks; None is all."""
    samples: int
    """Attempts at each task."""
    temperature: float | None
    """0 decodes greedily; None is the one that another piece of work finds."""
    found_by: MatchWork | TuneWork | None = None
    player: str = ""
    """Who plays in a model's place, if it is none."""

    @property
    def title(self) -> str:
        """As people are told of it."""
        who = self.player or f"{chain_name(self.chain)}@{self.step}"
        return f"measure {who} on {self.place}, {self._warmth}, seed {self.seed}"

    @property
    def place(self) -> str:
        """The cell, and the variant where it has one of its own."""
        return place_name(self.cell, self.variant)

    @property
    def _warmth(self) -> str:
        if self.temperature is not None:
            return f"temperature {self.temperature:g}"
        return "best temperature" if isinstance(self.found_by, TuneWork) else "matched temperature"


def place_name(cell: Cell, variant: Variant | None) -> str:
    """A cell as people are told of it, with the variant of its own that it is measured under, if any."""
    return cell.name if variant is None else f"{cell.name}[{variant.name or 'as it stands'}]"


Work = DifficultyWork | TrainWork | MatchWork | TuneWork | DriftWork | MeasureWork
