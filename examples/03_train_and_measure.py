"""Two steps of GRPO with the pocket model, and what it is worth before and after; `heldout demo` goes further."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from heldout.agents import suites_of
from heldout.analysis.scores import Cell, paired_change, summarise
from heldout.config import Config, changed, pocket
from heldout.evaluate.measure import Identity, measure
from heldout.model.worker import Setting, Team, Worker
from heldout.records import Episode, Stage, Trajectory
from heldout.store.rows import Memory
from heldout.store.runs import StageFolder
from heldout.train.stage import Job, Row, train

LITTLE_TRAINING = ("train.steps=2", "train.tasks=4", "train.samples=4", "train.turns=8")
LITTLE_TESTING = ("evaluate.tasks=6", "evaluate.samples=2", "evaluate.turns=8")
STAGE = Stage(("textcraft",), "easy")
CELL = Cell(env="textcraft", split="test", difficulty="easy")


def main() -> None:
    """Measures, trains, and measures again."""
    config = changed(pocket(), LITTLE_TRAINING + LITTLE_TESTING)
    suites = tuple(suites_of(config)(env) for env in STAGE.envs)
    job = Job(base="pocket", chain=STAGE.name, stage=STAGE, suites=suites, config=config, seed=0)
    team = Worker(Setting(model="pocket", source=config.source))  # many processes are a Crew
    before = measured(team, config, "base", 0)
    with TemporaryDirectory() as folder:
        train(job, team, StageFolder(Path(folder)), tell)
    after = measured(team, config, STAGE.name, config.train.steps)
    for score in summarise([*before, *after]):
        print(f"{score.chain:14}  avg@{score.k} {100 * score.score:5.1f}  {dict(score.endings)}")
    change = paired_change(before, after)[CELL]
    low, high = change.ci95
    print(f"change {change.mean:+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}]: {change.n} tasks say little")


def tell(row: Row) -> None:
    """One line a step."""
    print(f"step {row['step']}: reward {row['reward']:.2f}, useful groups {row['useful_groups']:.0%}", flush=True)


def measured(team: Team, config: Config, chain: str, step: int) -> list[Episode]:
    """Episodes of the cell with the weights as they are now."""
    return measure(
        partial(team.play, temperature=config.evaluate.temperature),
        suites_of(config),
        [CELL],
        identity=Identity(study="example", base="pocket", chain=chain, seed=0, step=step),
        settings=config.evaluate,
        limits=config.limits,
        rows=Memory[Episode](),
        trajectories=Memory[Trajectory](),
    )


if __name__ == "__main__":
    main()
