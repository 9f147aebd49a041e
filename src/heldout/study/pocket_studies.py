"""Studies of the pocket model: each a function that returns one, to run on two cores."""

from dataclasses import replace

from heldout.analysis.scores import Cell
from heldout.config import Config
from heldout.records import Stage
from heldout.study.plan import Study

ENVS = ("textcraft", "babyai")
DEMO_ENV = "babyai"
"""The environment that shows more within the demo's ten minutes (docs/log.md has both)."""

DEMO_TASKS = 60
"""Test tasks of each cell, unless `--set evaluate.tasks` says otherwise."""


def demo(config: Config, env: str = DEMO_ENV, seed: int = 0) -> Study:
    """One chain of one stage: trained on the easy tasks of one environment, measured there and elsewhere."""
    evaluate = replace(config.evaluate, tasks=config.evaluate.tasks or DEMO_TASKS)
    return Study(
        name="demo",
        base="pocket",
        chains=((Stage((env,), "easy"),),),
        seeds=(seed,),
        cells=tuple(
            Cell(env=each, split="test", difficulty=difficulty)
            for each in sorted(ENVS, key=lambda each: each != env)
            for difficulty in ("easy", "hard")
        ),
        config=replace(config, evaluate=evaluate),
    )
