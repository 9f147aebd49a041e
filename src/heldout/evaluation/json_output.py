"""What `heldout evaluate --json` prints."""

from collections import defaultdict
from collections.abc import Iterable

from heldout.analysis.pass_curve import PassAt
from heldout.analysis.scores import Cell, CellScore
from heldout.records import Json


def as_json(scores: Iterable[CellScore], curve: Iterable[PassAt] = ()) -> list[dict[str, Json]]:
    """One object a cell; score and success from 0 to 1, `ci95` of the score. With a curve, `pass_at` has for each
    of its k the share of tasks and its `ci95`."""
    points = defaultdict[Cell, dict[str, Json]](dict)
    for each in curve:
        points[each.cell][str(each.k)] = {"share": each.share, "ci95": list(each.ci95)}
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
            **({"pass_at": points[score.cell]} if score.cell in points else {}),
        }
        for score in scores
    ]
