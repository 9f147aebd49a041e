"""`heldout demo`: a study of one chain by three seeds, small enough for two cores and a quarter of an hour."""

from collections.abc import Sequence
from pathlib import Path

from heldout.config import pocket, with_overrides
from heldout.envs.registry import open_suite
from heldout.progress import StatusLine
from heldout.reporting.chain import write_report
from heldout.reporting.findings import control_table, normalised_table, score_table
from heldout.reporting.tables import align
from heldout.store.runs import StudyFolder
from heldout.study.recipes import demo as demo_recipe
from heldout.study.run import run
from heldout.verbs.progress import StudyProgress


def demo(*, env: str | None, model: str, seeds: Sequence[int], out: Path | None, settings: Sequence[str]) -> None:
    """Trains the pocket agent once by each seed, measures it before and after, and says where the report is."""
    chosen = env or demo_recipe.DEMO_ENV
    config = with_overrides(pocket(), (*demo_recipe.DEMO_SETTINGS, *settings))
    open_suite(chosen, config.source)  # a wrong name is refused before anything is played
    study = demo_recipe.demo(config, chosen, tuple(dict.fromkeys(seeds)) or demo_recipe.DEMO_SEEDS, model)
    folder = StudyFolder(out or Path("runs") / "-".join(filter(None, ("demo", config.source.variant.name))))
    with StatusLine() as line:
        outcome = run([study], folder, StudyProgress(line, "demo"))
    outcome.raise_if_failed()
    found = write_report(study, folder)
    print(f"\nTrained on {chosen} (easy); avg@{study.config.evaluate.samples} in points, 95 % intervals:\n")
    print(align(score_table(found)))
    print("\nBetween random play (0) and the oracle's (100), and the share of tasks that were done:\n")
    print(align(normalised_table(found)))
    print("\nWhat a gain must beat: the base decoded otherwise, and players without a model:\n")
    print(align(control_table(found)))
    print(f"\n{found.wall_seconds / 60:.1f} minutes. The report, with trajectories to read: {folder.report}")
