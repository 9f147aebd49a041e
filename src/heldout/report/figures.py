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
    for name, colour, marker in zip(LABELS, COLOURS, MARKERS, strict=False):
        rows = [row for row in metrics if row.get(name) is not None]
        steps, values = [row["step"] for row in rows], [row[name] for row in rows]
        panel.plot(steps, values, color=colour, marker=marker, markersize=4, label=LABELS[name])
    _dressed(panel, "On training tasks, as they are played", "mean of the step's episodes (0 to 1)")
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]), top=max(1.02, panel.get_ylim()[1]))


def _held_out(panel: Axes, points: Sequence[Point]) -> None:
    names = sorted({point.score.cell.name for point in points})
    for name, colour, marker in zip(names, cycle(COLOURS), cycle(MARKERS), strict=False):
        own = sorted((point for point in points if point.score.cell.name == name), key=lambda point: point.step)
        steps, scores = [point.step for point in own], [100 * point.score.score for point in own]
        below = [100 * (point.score.score - point.score.ci95[0]) for point in own]
        above = [100 * (point.score.ci95[1] - point.score.score) for point in own]
        panel.errorbar(steps, scores, (below, above), color=colour, marker=marker, capsize=3, label=name)
    k = max(point.score.k for point in points)
    _dressed(panel, "On test tasks, with 95 % intervals", f"avg@{k} (points, 0 to 100)")
    panel.set_ylim(0, 102)


def _dressed(panel: Axes, title: str, unit: str) -> None:
    panel.set_title(title, fontsize=11)
    panel.set_xlabel("training step")
    panel.set_ylabel(unit)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize=9)


def _saved(figure: Figure, form: str, metadata: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()
