"""The figure of difficulty: each task's score by how many turns the oracle takes."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from heldout.printable import printable_line
from heldout.records import Difficulty, DifficultySplit, TaskDifficulty
from heldout.reporting.difficulty import LEVELS, SPLITS, Turns
from heldout.reporting.figures import COLOURS, MARKERS

SMALLEST = 12.0
"""The area of a point that is one task; more tasks in one place are a larger point."""
APART = 0.15
"""Easy and hard tasks of one score stand beside each other."""


def turns_by_score(difficulty: Difficulty, turns: Turns) -> Figure:
    """A panel an environment: training and test tasks alike, easy and hard told by colour and marker."""
    count = len(difficulty.envs)
    figure = Figure(figsize=(1 + 4.6 * count, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for panel, env_split in zip(figure.subplots(1, count, squeeze=False)[0], difficulty.envs, strict=True):
        _panel(panel, env_split, turns)
    return figure


def _panel(panel: Axes, env_split: DifficultySplit, turns: Turns) -> None:
    for level, colour, marker, aside in zip(LEVELS, COLOURS, MARKERS, (-APART, APART), strict=False):
        of_level = [each for each in env_split.tasks if each.difficulty == level]
        places = _places(env_split.env, of_level, turns)
        if places:
            xs, ys = zip(*places, strict=True)
            areas = [SMALLEST * tasks for tasks in places.values()]
            look = {"color": colour, "marker": marker, "alpha": 0.6, "linewidths": 0}
            panel.scatter([x + aside for x in xs], ys, areas, label=f"{level} ({len(of_level)})", **look)
    panel.axhline(100 * env_split.threshold, color="#555555", linewidth=0.8, linestyle=":")
    title = printable_line(f"{env_split.env}: training and test tasks")
    panel.set_title(title, fontsize=11, parse_math=False)
    panel.set_xlabel("turns of the oracle")
    panel.set_ylabel(f"avg@{env_split.k} (points, 0 to 100)")
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_ylim(-4, 104)
    if panel.get_legend_handles_labels()[1]:
        panel.legend(loc="upper right", frameon=False, fontsize=9, markerscale=0.6)


def _places(env: str, tasks: Sequence[TaskDifficulty], turns: Turns) -> Counter[tuple[int, float]]:
    """How many of the tasks stand at each place of the panel."""
    keys = [(each, (env, split, each.task)) for split in SPLITS for each in tasks if each.split == split]
    return Counter((turns[key], round(100 * each.score, 1)) for each, key in keys if key in turns)
