"""`heldout demo`: a study of one chain, small enough for two cores and ten minutes."""

from collections.abc import Sequence
from pathlib import Path

from heldout.config import changed, pocket
from heldout.study.demo import demo as run_demo


def demo(*, env: str | None, seed: int, out: Path | None, settings: Sequence[str]) -> None:
    """Trains the pocket agent, measures it before and after, and says where the report is."""
    folder = out or Path("runs") / "demo"
    run_demo(folder, seed=seed, env=env, config=changed(pocket(), settings))
    print(f"\nThe report, with trajectories to read: {folder / 'report'}")
