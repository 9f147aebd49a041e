"""What a recipe is asked for: by the flags of `heldout study`, or by a program."""

from collections.abc import Callable
from dataclasses import dataclass, field

from heldout.analysis.scores import ALL
from heldout.chains import Chain
from heldout.config import Config, with_overrides
from heldout.study.plan import Study

HALVES = ("easy", "hard")
"""What is measured of an environment where nothing else is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a recipe makes its studies of; what is empty was not asked, and is the recipe's to choose.

    A recipe uses all that is there: what was asked and is in none of its studies is refused (`named.studies_of`).
    """

    model: str = "pocket"
    """What every chain starts from."""
    defaults: Config = field(default_factory=Config)
    """Of that model."""
    settings: tuple[str, ...] = ()
    """What was set otherwise, as `path=value`."""
    envs: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    difficulty: str = ""
    """Which test tasks are measured."""
    every: int | None = None
    """Chains are measured after every so many steps of their last stage, not only at its end."""
    chains: tuple[Chain, ...] = ()
    name: str = "study"
    """What a study that was not named by its recipe is called."""

    @property
    def config(self) -> Config:
        """The model's own, with what was asked in it."""
        return self.configured()

    def configured(self, *own: str) -> Config:
        """The model's own, with a recipe's own settings in it, and what was asked over both."""
        return with_overrides(self.defaults, [*own, *self.settings])

    @property
    def difficulties(self) -> tuple[str, ...]:
        """Of the test tasks that are measured, each a cell."""
        return (self.difficulty,) if self.difficulty else HALVES

    @property
    def pooled(self) -> str:
        """The difficulty of all that is measured of an environment, as one figure."""
        return self.difficulty or ALL


Recipe = Callable[[Asked], Study | tuple[Study, ...]]
"""A function that makes studies of one base, for one folder, of what is asked."""
