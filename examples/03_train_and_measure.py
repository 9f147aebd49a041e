"""Two steps of GRPO with the pocket model, and what it is worth before and after; `heldout demo` goes further."""

from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Any

import heldout

LITTLE_TRAINING = ("train.steps=2", "train.tasks=4", "train.group_size=4", "train.max_turns=8")
LITTLE_TESTING = ("evaluate.tasks=6", "evaluate.samples=2", "evaluate.max_turns=8", "processes=1")


def main() -> None:
    """Measures, trains, and measures again."""
    config = heldout.configure("pocket", LITTLE_TRAINING + LITTLE_TESTING)
    with TemporaryDirectory() as folder:
        before = heldout.evaluate("pocket", ["textcraft"], difficulty="easy", config=config, out=folder)
        checkpoint = heldout.train("pocket", "textcraft.easy", config=config, out=folder, tell=tell)
        after = heldout.evaluate(checkpoint, ["textcraft"], difficulty="easy", config=config, out=folder)
    for score in heldout.summarise([*before, *after]):
        print(f"{score.chain:14}  avg@{score.k} {100 * score.score:5.1f}  {dict(score.endings)}")
    [change] = heldout.paired_change(before, after).values()
    low, high = change.ci95
    print(f"change {change.mean:+.1f} points, 95 % interval [{low:+.1f}, {high:+.1f}]: {change.n} tasks say little")


def tell(row: Mapping[str, Any]) -> None:
    """One line a step."""
    print(f"step {row['step']}: reward {row['reward']:.2f}, useful groups {row['useful_share']:.0%}", flush=True)


if __name__ == "__main__":
    main()
