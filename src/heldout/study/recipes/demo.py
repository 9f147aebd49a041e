"""The study of `heldout demo`: one chain of the pocket model, by three seeds, small enough for two cores."""

from heldout.analysis.scores import Cell
from heldout.chains import Stage
from heldout.config import Config
from heldout.study.plan import Measured, Study
from heldout.training.pocket_recipe import Recipe

ENVS = tuple(Recipe().envs)
"""Those that the shipped model has met."""
DEMO_ENV = "textcraft"
"""Where training brings what decoding otherwise does not (docs/log.md, 2026-11-27, on training tasks)."""

DEMO_SEEDS = (0, 1, 2)
"""The fewest whose intervals hold what they promise (docs/statistics.md)."""

DEMO_SETTINGS = ("train.steps=30", "evaluate.samples=4")
"""So that it ends within twelve minutes on two cores."""

DEMO_TASKS, DEMO_TASKS_ELSEWHERE = 50, 12
"""Test tasks of the cell that is trained on, and of each other, unless `--set evaluate.tasks` says otherwise."""


def demo(config: Config, env: str = DEMO_ENV, seeds: tuple[int, ...] = DEMO_SEEDS, base: str = "pocket") -> Study:
    """One chain of one stage: trained on the easy tasks of one environment, measured there, on its hard ones, and
    on the easy ones elsewhere."""
    trained = Cell(env=env, split="test", difficulty="easy")
    cells = [
        Cell(env=each, split="test", difficulty=difficulty)
        for each in dict.fromkeys((env, *ENVS))
        for difficulty in (("easy", "hard") if each == env else ("easy",))
    ]
    return Study(
        name="demo",
        base=base,
        chains=((Stage((env,), "easy"),),),
        seeds=seeds,
        measured=tuple(_measured_cell(cell, trained, config) for cell in cells),
        config=config,
    )


def _measured_cell(cell: Cell, trained: Cell, config: Config) -> Measured:
    """The base is decoded otherwise where a gain is sought; elsewhere fewer tasks have to do."""
    tasks = DEMO_TASKS if cell == trained else DEMO_TASKS_ELSEWHERE
    return Measured(cell=cell, tasks=config.evaluate.tasks or tasks, controls=cell == trained, matched=False)
