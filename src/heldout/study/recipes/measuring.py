"""Which cells a recipe measures."""

from collections.abc import Iterable

from heldout.analysis.scores import Cell
from heldout.config import Variant
from heldout.study.plan import Measured
from heldout.study.recipes.asked import Asked


def measured_in(
    asked: Asked,
    envs: Iterable[str],
    *,
    controls: bool = False,
    matched: bool = True,
    variant: Variant | None = None,
) -> tuple[Measured, ...]:
    """The test cells of these environments that are asked: easy and hard, unless one difficulty is."""
    return tuple(
        Measured(
            cell=Cell(env=env, split="test", difficulty=each), controls=controls, matched=matched, variant=variant
        )
        for env in envs
        for each in asked.difficulties
    )
