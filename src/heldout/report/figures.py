"""Figures: no global state, legible in print and to colour-blind readers, the same bytes each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from heldout.analysis.scores import CellScore
from heldout.records import Json

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, told apart by colour-blind readers; markers differ too."""

MARKERS = "os^Dvp"

LABELS = {"reward": "reward", "success": "success (share of episodes)"}
"""The metrics that are drawn."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a checkpoint of the chain is worth on tasks that it is not trained on."""

    step: int
    score: CellScore


def learning_curve(metrics: Sequence[Mapping[str, Json]], points: Sequence[Point] = ()) -> Figure:
    """Reward and success of each training step; beside them the test scores along the way, with intervals."""
    figure = Figure(figsize=(10, 4.2) if points else (6, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2 if points else 1, squeeze=False)[0]
    _training(panels[0], metrics)
    if points:
        _held_out(panels[1], points)
    return figure


def svg(figure: Figure) -> bytes:
    """The figure as SVG: the same bytes for the same figure, with no date in it."""
    with mpl.rc_context({"svg.hashsalt": "heldout"}):
        return _saved(figure, "svg", {"Date": None, "Creator": "heldout"})


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    return _saved(figure, "png", {"Software": "heldout"})


def _training(panel: Axes, metrics: Sequence[Mapping[str, Json]]) -> None:
    looks = zip(LABELS, COLOURS, MARKERS, ("-", "--"), (None, "white"), strict=False)
    for name, colour, marker, line, fill in looks:  # dashed and hollow on top: equal curves are both seen
        rows = [row for row in metrics if row.get(name) is not None]
        steps, values = [row["step"] for row in rows], [row[name] for row in rows]
        look = {"color": colour, "marker": marker, "markersize": 4, "linestyle": line, "markerfacecolor": fill}
        panel.plot(steps, values, label=LABELS[name], **look)
    _dressed(panel, "On training tasks, as they are played", "mean of the step's episodes (0 to 1)")
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]), top=max(1.02, panel.get_ylim()[1]))


def _held_out(panel: Axes, points: Sequence[Point]) -> None:
    names = sorted({point.score.cell.name for point in points})
    apart = 0.012 * max(point.step for point in points)
    for place, (name, colour, marker) in enumerate(zip(names, cycle(COLOURS), cycle(MARKERS), strict=False)):
        own = sorted((point for point in points if point.score.cell.name == name), key=lambda point: point.step)
        steps = [point.step + apart * (place - (len(names) - 1) / 2) for point in own]  # intervals side by side
        scores, below, above = zip(*(_bar(point.score) for point in own), strict=True)
        panel.errorbar(steps, scores, (below, above), color=colour, marker=marker, capsize=3, label=name)
    k = max(point.score.k for point in points)
    _dressed(panel, "On test tasks, with 95 % intervals", f"avg@{k} (points, 0 to 100)")
    panel.set_ylim(0, 102)


def _bar(score: CellScore) -> tuple[float, float, float]:
    """A score in points, and how far its interval reaches below and above; rounding never makes that negative."""
    low, high = score.ci95
    return 100 * score.score, max(0.0, 100 * (score.score - low)), max(0.0, 100 * (high - score.score))


def _dressed(panel: Axes, title: str, unit: str) -> None:
    panel.set_title(title, fontsize=11)
    panel.set_xlabel("training step")
    panel.set_ylabel(unit)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize=9)


def _saved(figure: Figure, form: str, metadata: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()
