"""What a study of one chain found: everything that its report says, and its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heldout.analysis.normalised import Normalised
from heldout.analysis.scores import ALL, Attempts, Cell, CellScore, Change
from heldout.config import Config
from heldout.reporting.tables import MISSING, Table
from heldout.study.controls import CEILING, FLOOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A player, or the base measured another way: what a gain must beat."""

    name: str
    """A player's, or `greedy`, `best_temperature` or `matched_entropy`."""
    temperatures: Mapping[Cell, float]
    """At which it was measured, on the average of the seeds; players have none."""
    scores: tuple[CellScore, ...]
    change: Mapping[Cell, Change]
    """From the control to the trained model."""
    normalised: Mapping[Cell, Normalised]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One chain of one stage, before and after."""

    study: str
    base_name: str
    """The model that the chain starts from."""
    chain: str
    trained_env: str
    trained_difficulty: str
    seeds: tuple[int, ...]
    config: Config
    """By which all of it was trained and measured."""
    base: tuple[CellScore, ...]
    trained: tuple[CellScore, ...]
    change: Mapping[Cell, Change]
    controls: tuple[Control, ...]
    attempts: Mapping[str, tuple[Attempts, ...]]
    """What became of the attempts at each cell: of `base`, `trained`, and each control by its name."""
    base_normalised: Mapping[Cell, Normalised]
    """Between `random` and the oracle; without a cell where the oracle does no better."""
    trained_normalised: Mapping[Cell, Normalised]
    wall_seconds: float

    def is_trained_on(self, cell: Cell) -> bool:
        """Whether the tasks that the chain was trained on are of this cell's kind."""
        difficulties = (ALL, cell.difficulty)
        return cell.env == self.trained_env and self.trained_difficulty in difficulties

    @property
    def cells(self) -> list[Cell]:
        """What was measured before or after: first what was trained on, then what was not."""
        seen = {score.cell for score in (*self.base, *self.trained)}
        return sorted(seen, key=lambda cell: (not self.is_trained_on(cell), cell.env != self.trained_env, cell))


def score_table(findings: Findings) -> Table:
    """Before, after and the change of each cell, with intervals; between the floor and the ceiling, if measured."""
    base, trained = _by_cell(findings.base), _by_cell(findings.trained)
    players = {each.name: _by_cell(each.scores) for each in findings.controls if each.name in (FLOOR, CEILING)}
    rows = [
        (
            cell.name,
            "yes" if findings.is_trained_on(cell) else "no",
            str(_either(base, trained, cell).n),
            *(_score_words(scores.get(cell)) for scores in players.values()),
            interval_words(base.get(cell)),
            interval_words(trained.get(cell)),
            change_words(findings.change.get(cell)),
            *([_of_seeds(findings.change.get(cell))] if len(findings.seeds) > 1 else []),
        )
        for cell in findings.cells
    ]
    given = given_this_run(findings.seeds)
    each = ["of each seed"] if len(findings.seeds) > 1 else []
    header = ("test tasks", "kind trained on", "n", *players, "base", f"trained{given}", f"change{given}", *each)
    return Table(header, rows)


def control_table(findings: Findings) -> Table:
    """Each control's score and success in each cell, and the trained model's change over it."""
    rows = [
        (
            cell.name,
            control.name.replace("_", " "),
            f"{control.temperatures[cell]:.2f}" if cell in control.temperatures else MISSING,
            interval_words(score),
            f"{100 * score.success:.1f}",
            change_words(control.change.get(cell)),
        )
        for cell in findings.cells
        for control in findings.controls
        if (score := _by_cell(control.scores).get(cell))
    ]
    over = f"change over it{given_this_run(findings.seeds)}"
    return Table(("test tasks", "control", "T", "score", "success", over), rows, keys=2)


def normalised_table(findings: Findings) -> Table:
    """Before and after as shares of the way from random play to the oracle's, in each cell; and success."""
    base, trained = _by_cell(findings.base), _by_cell(findings.trained)
    rows = [
        (
            cell.name,
            normalised_words(findings.base_normalised.get(cell)),
            normalised_words(findings.trained_normalised.get(cell)),
            _success_words(base.get(cell)),
            _success_words(trained.get(cell)),
        )
        for cell in findings.cells
    ]
    trained_norm = f"trained, norm.{given_this_run(findings.seeds)}"
    return Table(("test tasks", "base, norm.", trained_norm, "base, success", "trained, success"), rows)


def given_this_run(seeds: Sequence[int]) -> str:
    """What heads intervals that are of one training run: they say nothing of another seed."""
    return ", given this run" if len(seeds) == 1 else ""


def detail_table(findings: Findings) -> Table:
    """What else was counted, before and after."""
    both = (("base", _by_cell(findings.base)), ("trained", _by_cell(findings.trained)))
    rows = [
        (cell.name, name, *_details(scores[cell]))
        for cell in findings.cells
        for name, scores in both
        if cell in scores
    ]
    return Table(("test tasks", "model", "k", "success@k", "pass@k", "turns", "generated tokens", "endings"), rows)


def _by_cell(scores: tuple[CellScore, ...]) -> dict[Cell, CellScore]:
    """The scores of one checkpoint, by cell."""
    return {score.cell: score for score in scores}


def _score_words(score: CellScore | None) -> str:
    """A score in points, `41.7`."""
    return MISSING if score is None else f"{100 * score.score:.1f}"


def interval_words(score: CellScore | None) -> str:
    """A score and its interval in points, `41.7 [36.0, 47.3]`."""
    if score is None:
        return MISSING
    low, high = score.ci95
    return f"{100 * score.score:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def normalised_words(normalised: Normalised | None) -> str:
    """A normalised score and its interval in points; none where the oracle does no better than random play."""
    if normalised is None:
        return MISSING
    low, high = normalised.ci95
    return f"{100 * normalised.score:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _success_words(score: CellScore | None) -> str:
    return f"{100 * score.success:.1f}" if score else MISSING


def change_words(change: Change | None) -> str:
    """A change and its interval in points, `+20.5 [+14.2, +26.9]`."""
    if change is None:
        return MISSING
    low, high = change.ci95
    return f"{change.mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def _of_seeds(change: Change | None) -> str:
    """A change by each training seed, `+20.5 +18.0 +23.1`."""
    return MISSING if change is None else " ".join(f"{each:+.1f}" for each in change.of_seeds)


def _either(base: Mapping[Cell, CellScore], trained: Mapping[Cell, CellScore], cell: Cell) -> CellScore:
    return base[cell] if cell in base else trained[cell]


def _details(score: CellScore) -> tuple[str, ...]:
    return (
        str(score.k),
        f"{100 * score.success:.1f}",
        f"{100 * score.pass_at_k:.1f}",
        f"{score.turns:.1f}",
        f"{score.tokens:.1f}",
        ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in score.endings.items()),
    )
