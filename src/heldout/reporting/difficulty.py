"""Easy and hard by a reference model, shown: the threshold, the halves, and the oracle's turns beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import fmean

from heldout.analysis.difficulty import rank_correlation
from heldout.records import Difficulty, DifficultySplit, Json
from heldout.reporting.markdown import escape
from heldout.reporting.tables import MISSING, Table, markdown

Turns = Mapping[tuple[str, str, str], int]
"""How many turns the oracle takes, by environment, split and task; a task that it did not solve is not there."""

PAPER = {
    "webshop": {"train": (2104, 1826), "test": (84, 116)},
    "searchqa": {"train": (1960, 2040), "test": (120, 280)},
    "textcraft": {"train": (235, 209), "test": (57, 43)},
    "alfworld": {"train": (1267, 1153), "test": (55, 145)},
    "babyai": {"train": (398, 412), "test": (52, 38)},
}
"""The paper's Table 5: easy and hard tasks by Qwen2.5-7B-Instruct."""

SPLITS = ("train", "test")
LEVELS = ("easy", "hard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """How a split's halves stand to the oracle's turns."""

    env: str
    split: str
    n: int
    """Tasks that the oracle solved."""
    easy: float | None
    """Its mean turns in easy tasks; None where there are none."""
    hard: float | None
    rank_correlation: float | None
    """Spearman's ρ of avg@k and turns: below 0 where longer tasks score less."""


def against(difficulty: Difficulty, turns: Turns) -> list[Against]:
    """Each environment's splits beside the oracle's turns."""
    return [_against(env_split, split, turns) for env_split, split in product(difficulty.envs, SPLITS)]


def sizes(env_split: DifficultySplit) -> dict[str, tuple[int, int]]:
    """How many easy and how many hard tasks each split has."""
    return {split: _count(env_split, split) for split in SPLITS}


def at_threshold(env_split: DifficultySplit) -> int:
    """How many training tasks score just the threshold: in those the hash decides."""
    return sum(each.score == env_split.threshold for each in env_split.of_split("train"))


def size_table(difficulty: Difficulty) -> Table:
    """A line an environment; beside real tasks the sizes of the paper's Table 5."""
    is_real = difficulty.settings.get("source") == "real"
    header = ["env", "k", "threshold", "just there", "train easy / hard", "test easy / hard"]
    rows = [_sizes_row(env_split, is_real) for env_split in difficulty.envs]
    return Table([*header, "Table 5 train", "Table 5 test"] if is_real else header, rows)


def oracle_table(found: Sequence[Against]) -> Table:
    """A line an environment and split."""
    rows = [
        (one.env, one.split, str(one.n), _figure(one.easy), _figure(one.hard), _figure(one.rank_correlation, 2))
        for one in found
    ]
    return Table(("env", "split", "tasks", "oracle's turns, easy", "hard", "rank correlation"), rows)


def summary(difficulty: Difficulty, found: Sequence[Against]) -> dict[str, Json]:
    """The same for a program; scores from 0 to 1."""
    is_real = difficulty.settings.get("source") == "real"
    return {
        "model": difficulty.model,
        "hash": difficulty.digest,
        "settings": dict(difficulty.settings),
        "envs": [_summary(env_split, found, is_real) for env_split in difficulty.envs],
    }


def page(difficulty: Difficulty, found: Sequence[Against], figure: str) -> str:
    """The page, in Markdown; `figure` is the path of its picture, from the page."""
    settings = ", ".join(f"{name} {value}" for name, value in difficulty.settings.items() if value is not None)
    parts = [
        f"# Easy and hard for {escape(difficulty.model)}\n",
        f"Hash {difficulty.digest}; {escape(settings)}.\n",
        "## The halves\n",
        markdown(size_table(difficulty)),
        THRESHOLD,
        "## Beside the oracle's turns\n",
        markdown(oracle_table(found)),
        ORACLE,
        f"![Score of each task by how many turns the oracle takes]({figure})\n",
    ]
    return "\n".join(parts)


THRESHOLD = """\
A task's score is avg@k, its interval Wilson's. The training tasks in order of their scores, equals by the hash of
their ids, are cut in the middle; the threshold is the score of the last easy one, in points, and its brackets hold
the 95 % interval over tasks and attempts drawn again. Test tasks are told by the same threshold and hash. In those
that score just the threshold ("just there": training tasks) only the hash decides: where they are many, the halves
differ less than their names say. These episodes score nothing else.
"""

ORACLE = """\
The mean turns of the player that sees the world, in the easy and in the hard tasks, and Spearman's rank
correlation of score and turns over all tasks that it solves.
"""


def _against(env_split: DifficultySplit, split: str, turns: Turns) -> Against:
    pairs = [
        (each, turns[key])
        for each in env_split.of_split(split)
        if (key := (env_split.env, split, each.task)) in turns
    ]
    of = {level: [taken for each, taken in pairs if each.difficulty == level] for level in LEVELS}
    easy, hard = (fmean(of[level]) if of[level] else None for level in LEVELS)
    scores, taken = [each.score for each, _ in pairs], [taken for _, taken in pairs]
    correlation = rank_correlation(scores, taken) if pairs else None
    return Against(env=env_split.env, split=split, n=len(pairs), easy=easy, hard=hard, rank_correlation=correlation)


def _summary(env_split: DifficultySplit, found: Sequence[Against], is_real: bool) -> dict[str, Json]:
    own = {one.split: one for one in found if one.env == env_split.env}
    return {
        "env": env_split.env,
        "k": env_split.k,
        "threshold": env_split.threshold,
        "ci95": [env_split.low, env_split.high],
        "at_threshold": at_threshold(env_split),
        "sizes": {split: dict(zip(LEVELS, both, strict=True)) for split, both in sizes(env_split).items()},
        "paper": _paper(env_split.env) if is_real else None,
        "oracle": {
            split: {k: v for k, v in asdict(one).items() if k not in ("env", "split")} for split, one in own.items()
        },
    }


def _paper(env: str) -> dict[str, Json] | None:
    both = PAPER.get(env)
    return {split: dict(zip(LEVELS, both[split], strict=True)) for split in SPLITS} if both else None


def _sizes_row(env_split: DifficultySplit, is_real: bool) -> list[str]:
    ours = sizes(env_split)
    row = [
        env_split.env,
        str(env_split.k),
        f"{100 * env_split.threshold:.1f} [{100 * env_split.low:.1f}, {100 * env_split.high:.1f}]",
        str(at_threshold(env_split)),
        *(_both(ours[split]) for split in SPLITS),
    ]
    if not is_real:
        return row
    paper = PAPER.get(env_split.env, {})
    return [*row, *(_both(paper[split]) if split in paper else MISSING for split in SPLITS)]


def _count(env_split: DifficultySplit, split: str) -> tuple[int, int]:
    levels = [each.difficulty for each in env_split.of_split(split)]
    return levels.count("easy"), levels.count("hard")


def _both(sizes: tuple[int, int]) -> str:
    return f"{sizes[0]} / {sizes[1]}"


def _figure(value: float | None, digits: int = 1) -> str:
    return MISSING if value is None else f"{value:.{digits}f}"
