"""The paper's questions, asked of the pocket model: small enough for two cores."""

from dataclasses import replace

from heldout.config import with_overrides
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked
from heldout.study.recipes.demo import ENVS
from heldout.study.recipes.difficulty import difficulty_studies
from heldout.study.recipes.interface import interface_studies
from heldout.study.recipes.orders import orders_studies
from heldout.study.recipes.sequence import sequence_studies
from heldout.study.recipes.transfer import transfer_studies

MEASURED = ("evaluate.tasks=100", "evaluate.samples=4")
"""Tasks of each cell and plays of each: with five seeds a source's mean shows changes of some four points."""

SEEDS = (0, 1, 2, 3, 4)
FEWER = SEEDS[:3]
"""Where many chains are trained: the fewest whose intervals hold what they promise (docs/statistics.md)."""


def pocket_difficulty(asked: Asked) -> tuple[Study, ...]:
    """Easy, hard and all tasks of each environment, and both curricula."""
    return difficulty_studies(_small(asked, FEWER))


def pocket_transfer(asked: Asked) -> tuple[Study, ...]:
    """Five chains in five environments."""
    return transfer_studies(_small(asked, SEEDS))


def pocket_sequence(asked: Asked) -> tuple[Study, ...]:
    """Twenty ordered pairs, and the five single stages."""
    return sequence_studies(_small(asked, FEWER))


def pocket_orders(asked: Asked) -> tuple[Study, ...]:
    """Two orders of all five environments, and the mixture."""
    return orders_studies(_small(asked, FEWER))


def pocket_interface(asked: Asked) -> tuple[Study, ...]:
    """One trait of the environments changed at a time."""
    return interface_studies(_small(asked, FEWER))


def pocket_paper(asked: Asked) -> tuple[Study, ...]:
    """The paper's three axes in one folder: what they share is trained and measured once."""
    small = _small(asked, FEWER)
    parts = (difficulty_studies, transfer_studies, sequence_studies, orders_studies)
    return tuple(study for part in parts for study in part(small))


def _small(asked: Asked, seeds: tuple[int, ...]) -> Asked:
    """What is asked, and for the rest what is small enough."""
    return replace(
        asked,
        defaults=with_overrides(asked.defaults, MEASURED),
        envs=asked.envs or ENVS,
        seeds=asked.seeds or seeds,
    )
