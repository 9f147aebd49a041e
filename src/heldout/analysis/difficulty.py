"""Rows in, easy and hard out: the training tasks in halves by avg@k, and one threshold for the test tasks too."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np

from heldout.analysis.alike import each_once, refuse_unlike
from heldout.analysis.crossed import Floats
from heldout.errors import HeldoutError
from heldout.records import DifficultySplit, Row, TaskDifficulty, digest

RESAMPLES = 2_000
"""Of training tasks and of each one's attempts, for the interval of the threshold."""
MOST_DRAWN = 1_000_000
"""Scores that are drawn at once, so that many tasks do not fill the memory."""

Place = tuple[float, str]
"""Where a task stands from the easiest to the hardest: the more it scores, the earlier; equals by hash."""


def split_by_difficulty(rows: Iterable[Row], *, seed: int = 0) -> DifficultySplit:
    """One environment's tasks in easy and hard.

    The training tasks in order of avg@k, equals by the hash of their ids, are cut in the middle (of an odd number
    the middle one is easy). The last easy one is the threshold, and the test tasks are told by it. `seed` is the
    bootstrap's. Of several models, seeds, K and so on no halves are made: refused by the field's name.
    """
    rows = sorted(each_once(rows), key=lambda row: (row.split, row.task, row.attempt))
    scores = _scores(rows)
    first, k = rows[0], _attempts(scores)
    train = sorted(_place(first.env, task, fmean(own)) for (split, task), own in scores.items() if split == "train")
    if len(train) < 2:
        raise HeldoutError(f"{first.env}: halves take two training tasks or more, not {len(train)}")
    border = train[_middle(len(train))]
    low, high = _threshold_interval([own for (split, _), own in scores.items() if split == "train"], seed)
    return DifficultySplit(
        env=first.env,
        data=first.data,
        rules=first.rules,
        prompt=first.prompt,
        k=k,
        threshold=-border[0],
        tie=border[1],
        low=low,
        high=high,
        tasks=tuple(_task_difficulty(first.env, split, task, own, border) for (split, task), own in scores.items()),
    )


def wilson(score: float, k: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a mean of k scores between 0 and 1.

    It is made for scores of 0 and 1 alone. Scores in between vary less around the same mean, so for them it is
    wider than it need be, never narrower.
    """
    z2 = 1.959964**2
    middle = (score + z2 / (2 * k)) / (1 + z2 / k)
    reach = math.sqrt(max(0.0, score * (1 - score) * z2 / k + (z2 / (2 * k)) ** 2)) / (1 + z2 / k)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def rank_correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Spearman's ρ, equals sharing their mean rank; None where all of one side are equal."""
    x_ranks, y_ranks = _ranks(xs), _ranks(ys)
    if np.ptp(x_ranks) == 0 or np.ptp(y_ranks) == 0:
        return None
    return float(np.corrcoef(x_ranks, y_ranks)[0, 1])


def _ranks(values: Sequence[float]) -> Floats:
    _, which, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Floats = last - (counts - 1) / 2
    return mean[which]


def _scores(rows: Sequence[Row]) -> dict[tuple[str, str], list[float]]:
    """The scores of each task's attempts; an episode that the infrastructure broke is refused."""
    if not rows:
        raise HeldoutError("difficulty is measured from episodes, and there are none")
    if broken := sum(not row.is_played for row in rows):
        raise HeldoutError(f"{rows[0].env}: {broken} episodes broke off: call again to play them")
    refuse_unlike(rows[0].env, rows, also=("env", "seed"))
    scores = defaultdict[tuple[str, str], list[float]](list)
    for row in rows:
        scores[row.split, row.task].append(row.score)
    return scores


def _attempts(scores: Mapping[tuple[str, str], Sequence[float]]) -> int:
    """How many attempts each task had: the same number, or avg@k would not compare."""
    counts = sorted({len(own) for own in scores.values()})
    if len(counts) > 1:
        raise HeldoutError(f"tasks were tried between {counts[0]} and {counts[-1]} times, and not all alike")
    return counts[0]


def _middle(count: int) -> int:
    """The place of the last of the first half."""
    return (count - 1) // 2


def _place(env: str, task: str, score: float) -> Place:
    return -score, digest([env, task])


def _task_difficulty(env: str, split: str, task: str, scores: Sequence[float], border: Place) -> TaskDifficulty:
    score = fmean(scores)
    low, high = wilson(min(1.0, max(0.0, score)), len(scores))
    easy = _place(env, task, score) <= border
    return TaskDifficulty(
        task=task,
        split=split,
        score=score,
        low=round(low, 6),
        high=round(high, 6),
        difficulty="easy" if easy else "hard",
    )


def _threshold_interval(scores: Sequence[Sequence[float]], seed: int) -> tuple[float, float]:
    """The 95 % percentile interval of the threshold: tasks, and each one's attempts, are drawn again."""
    scores_TK, rng = np.asarray(scores, float), np.random.default_rng(seed)
    tasks, attempts = scores_TK.shape
    at_once = max(1, MOST_DRAWN // scores_TK.size)
    thresholds = list[Floats]()
    for first in range(0, RESAMPLES, at_once):
        resamples = min(at_once, RESAMPLES - first)
        tasks_RT1 = rng.integers(tasks, size=(resamples, tasks, 1))
        attempts_RTK = rng.integers(attempts, size=(resamples, tasks, attempts))
        means_RT = np.sort(scores_TK[tasks_RT1, attempts_RTK].mean(axis=2), axis=1)
        thresholds.append(means_RT[:, tasks - 1 - _middle(tasks)])
    low, high = np.percentile(np.concatenate(thresholds), (2.5, 97.5))
    return round(float(low), 6), round(float(high), 6)
