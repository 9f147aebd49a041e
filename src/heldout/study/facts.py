"""What a cell is when it is measured: its rows, and what was found for its kind, are told from others by this."""

from dataclasses import asdict, dataclass

from heldout.config import Config
from heldout.records import digest, to_json
from heldout.study.controls import GRID, TUNING


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What a cell was when the study asked for it."""

    tasks: tuple[str, ...]
    data: str
    rules: str
    rules_version: int
    prompt: str
    variant: str
    difficulty_source: str

    @property
    def suite(self) -> dict[str, object]:
        """What it is of the environment, whichever tasks are measured."""
        return {name: value for name, value in asdict(self).items() if name != "tasks"}


def tuning_digest(facts: CellFacts, config: Config) -> str:
    """Names what a best temperature depends on beside the model: one of other settings is another."""
    played = {"limits": to_json(config.limits), "max_turns": config.evaluate.max_turns}
    tried = {"grid": [*GRID, config.evaluate.temperature], "tuning": TUNING}
    return digest(to_json({**facts.suite, **played, **tried}))
