"""What a step of training came to, by the field's names: a line of a stage's metrics."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from heldout.config import Train
from heldout.errors import HeldoutError
from heldout.learn.groups import is_useful, says_something
from heldout.learn.methods import Method
from heldout.model.learner import Update
from heldout.records import Ending, Group, Json, Trajectory

StepMetrics = dict[str, Json]

OCCASIONAL = ("skipped", "openings_too_long")
"""Figures that only those steps have in which there is something to tell."""


def rollout_figures(trajectories: Sequence[Trajectory]) -> StepMetrics:
    """What a step's episodes come to, by the field's names; infrastructure failures count only as endings."""
    whole = [t for t in trajectories if t.ending is not Ending.ERROR]
    if not whole:
        raise HeldoutError(f"every episode of the step failed: {trajectories[0].error}")
    return {
        "reward": fmean(t.reward for t in whole),
        "score": fmean(t.score for t in whole),
        "success": fmean(t.success for t in whole),
        "turns": fmean(len(t.turns) for t in whole),
        "generated_tokens": fmean(t.generated_tokens for t in whole),
        "response_length": fmean(t.response_length for t in whole),
        "endings": dict(sorted(Counter(str(t.ending) for t in trajectories).items())),
        **({"openings_too_long": too_long} if (too_long := sum(t.is_too_long for t in trajectories)) else {}),
    }


def group_figures(groups: Sequence[Group], method: Method) -> StepMetrics:
    """How many groups there are, and the share of those whose rewards differ, whatever is learned from.

    A KL term, and a baseline of the whole batch, learn from groups whose rewards agree too: then the share that was
    learned from stands apart.
    """
    count = max(1, len(groups))
    figures: StepMetrics = {"groups": len(groups), "useful_share": sum(map(is_useful, groups)) / count}
    if not method.kl and method.is_by_group and method.credit != "turn":
        return figures
    learned = [group for group in groups if method.has_kl_loss or says_something(group, method)]
    return figures | {"learned_share": len(learned) / count}


def update_figures(update: Update | None, settings: Train, step: int) -> StepMetrics:
    """What an update did; a step with no useful group, or one that is skipped, has no figures."""
    updated = update is not None and update.optimizer_steps > 0
    figures: StepMetrics = {"updated": updated, "lr": learning_rate(settings, step)}
    names = ("loss", "grad_norm", "entropy", "clip_fraction", "kl", "mismatch", "tokens")
    seen = update if update and not update.is_skipped else None
    return figures | {name: getattr(seen, name) if seen else None for name in names}


def learning_rate(settings: Train, step: int) -> float:
    """Rises linearly over the warm-up, then stays."""
    return settings.lr * min(1.0, step / max(1, settings.warmup))
