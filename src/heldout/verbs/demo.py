"""`heldout demo`: a study of one chain, small enough for two cores and a quarter of an hour."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import final

from heldout.config import pocket, with_overrides
from heldout.envs.registry import open_suite
from heldout.progress import figure
from heldout.records import Trajectory
from heldout.reporting.chain import write_report
from heldout.reporting.findings import control_table, score_table
from heldout.reporting.tables import align
from heldout.store.runs import StudyFolder
from heldout.study import pocket_studies
from heldout.study.run import run
from heldout.training.stage import OCCASIONAL, StepMetrics
from heldout.verbs.progress import show_episodes


def demo(*, env: str | None, model: str, seed: int, out: Path | None, settings: Sequence[str]) -> None:
    """Trains the pocket agent, measures it before and after, and says where the report is."""
    chosen = env or pocket_studies.DEMO_ENV
    config = with_overrides(pocket(), settings)
    open_suite(chosen, config.source)  # a wrong name is refused before anything is played
    study = pocket_studies.demo(config, chosen, seed, model)
    folder = StudyFolder(out or Path("runs") / "-".join(filter(None, ("demo", config.source.variant.name))))
    run(study, folder, _Printed())
    found = write_report(study, folder)
    print(f"\nTrained on {chosen} (easy); avg@{study.config.evaluate.samples} in points, 95 % intervals:\n")
    print(align(score_table(found)))
    print("\nHow much of that is only sharper choice? The base, decoded otherwise:\n")
    print(align(control_table(found)))
    print(f"\n{found.wall_seconds / 60:.1f} minutes. The report, with trajectories to read: {folder.report}")


@final
class _Printed:
    """Tells a terminal how far a study is."""

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """One line a training step."""
        seconds = row["seconds_play"] + row["seconds_learn"]
        useful = round(row["useful_share"] * row["groups"])
        beside = "".join(f"  {name.replace('_', ' ')} {row[name]}" for name in OCCASIONAL if name in row)
        print(
            f"train {chain}  step {row['step']}/{steps}  reward {row['reward']:.2f}  success {row['success']:.2f}"
            f"  turns {row['turns']:.1f}  useful groups {useful}/{row['groups']}"
            f"  {figure(row['tokens_per_second'])} tokens/s  {seconds:.1f} s{beside}",
            flush=True,
        )

    def playing(self, title: str, episodes: int) -> AbstractContextManager[Callable[[Trajectory], None]]:
        """A live line with the score so far."""
        return show_episodes(title, episodes)
