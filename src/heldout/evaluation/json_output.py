"""What `heldout evaluate --json` prints."""

from collections.abc import Iterable

from heldout.analysis.scores import CellScore
from heldout.records import Json


def as_json(scores: Iterable[CellScore]) -> list[dict[str, Json]]:
    """One object a cell; score and success from 0 to 1, `ci95` of the score."""
    return [
        {
            "env": score.env,
            "split": score.split,
            "difficulty": score.difficulty,
            "variant": score.variant,
            "n": score.n,
            "k": score.k,
            "seeds": score.seeds,
            "given_this_run": score.is_given_this_run,
            "score": score.score,
            "success": score.success,
            "ci95": list(score.ci95),
            "useful": score.useful,
            "turns": score.turns,
            "tokens": score.tokens,
            "endings": dict(score.endings),
            "asked": score.asked,
            "played": score.played,
            "lost": score.lost,
        }
        for score in scores
    ]
