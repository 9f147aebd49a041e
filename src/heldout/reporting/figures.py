"""Figures: no global state, legible in print and to colour-blind readers, the same bytes each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from statistics import fmean
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from heldout.analysis.scores import CellScore
from heldout.printable import printable_line
from heldout.records import Json

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, told apart by colour-blind readers; markers differ too."""

MARKERS = "os^Dvp"

COLUMNS = 3
"""Panels beside each other."""

LABELS = {"score": "score", "success": "success"}
"""The metrics that are drawn."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a checkpoint of the chain is worth on tasks that it is not trained on."""

    step: int
    score: CellScore


Metrics = Sequence[Mapping[str, Json]]
"""Of one training, step by step."""


def learning_curve(trainings: Sequence[Metrics], points: Sequence[Point] = ()) -> Figure:
    """Score and success of each training step, on the average of the seeds, of which several have a thin line each;
    then each environment's test scores, with intervals."""
    envs = sorted({point.score.env for point in points})
    across = min(1 + len(envs), COLUMNS)
    down = ceil((1 + len(envs)) / across)
    figure = Figure(figsize=(1.5 + 3.5 * across, 3.8 * down), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, across, squeeze=False).flatten()
    _training(panels[0], trainings)
    for panel, env in zip(panels[1:], envs, strict=False):
        _held_out(panel, env, [point for point in points if point.score.env == env])
    for panel in panels[1 + len(envs) :]:
        panel.set_visible(False)
    return figure


def svg(figure: Figure) -> bytes:
    """The figure as SVG: the same bytes for the same figure, with no date in it."""
    with mpl.rc_context({"svg.hashsalt": "heldout"}):
        return _save(figure, "svg", {"Date": None, "Creator": "heldout"})


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    return _save(figure, "png", {"Software": "heldout"})


def _training(panel: Axes, trainings: Sequence[Metrics]) -> None:
    for place, name in enumerate(LABELS):
        runs = [_by_step(metrics, name) for metrics in trainings]
        for run in runs if len(runs) > 1 else ():
            panel.plot(*_line(run), color=COLOURS[place], linewidth=0.7, alpha=0.5)
        in_all = set[int].intersection(*map(set, runs)) if runs else set[int]()
        mean = {step: fmean(run[step] for run in runs) for step in sorted(in_all)}
        panel.plot(*_line(mean), **_look(place), label=LABELS[name])
    _dress(panel, "On training tasks, as they are played", "mean of the step's episodes (points, 0 to 100)")
    panel.set_ylim(bottom=min(0.0, panel.get_ylim()[0]), top=max(102.0, panel.get_ylim()[1]))


def _by_step(metrics: Metrics, name: str) -> dict[int, float]:
    """One metric in points, where a step has it."""
    return {row["step"]: 100 * row[name] for row in metrics if row.get(name) is not None}


def _line(by_step: Mapping[int, float]) -> tuple[list[int], list[float]]:
    return list(by_step), list(by_step.values())


def _held_out(panel: Axes, env: str, points: Sequence[Point]) -> None:
    """One environment's scores: a line for each difficulty."""
    levels = sorted({point.score.difficulty for point in points})
    apart = 0.012 * max(point.step for point in points)
    for place, level in enumerate(levels):
        own = sorted((each for each in points if each.score.difficulty == level), key=lambda each: each.step)
        steps = [point.step + apart * (place - (len(levels) - 1) / 2) for point in own]  # intervals side by side
        scores, below, above = zip(*(_bar(point.score) for point in own), strict=True)
        panel.errorbar(steps, scores, (below, above), **_look(place), capsize=3, label=level)
    ks = sorted({point.score.k for point in points})
    name = f"avg@{ks[0]}" if len(ks) == 1 else f"avg@k, k from {ks[0]} to {ks[-1]}"
    given = ", given this run" if any(point.score.is_given_this_run for point in points) else " intervals"
    _dress(panel, f"Tests of {env}; 95 %{given}", f"{name} (points, 0 to 100)")
    panel.set_ylim(0, 102)


def _look(place: int) -> dict[str, Any]:
    """Of a panel's first, second and later lines; the second is dashed and hollow, so equal ones are both seen."""
    line, fill = ("--", "white") if place == 1 else ("-", None)
    return {
        "color": COLOURS[place],
        "marker": MARKERS[place],
        "markersize": 5,
        "linestyle": line,
        "markerfacecolor": fill,
    }


def _bar(score: CellScore) -> tuple[float, float, float]:
    """A score in points, and how far its interval reaches below and above; rounding never makes that negative."""
    low, high = score.ci95
    return 100 * score.score, max(0.0, 100 * (score.score - low)), max(0.0, 100 * (high - score.score))


def _dress(panel: Axes, title: str, unit: str) -> None:
    panel.set_title(printable_line(title), fontsize=11, parse_math=False)
    panel.set_xlabel("training step")
    panel.set_ylabel(unit)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color="#DDDDDD", linewidth=0.8)
    panel.set_axisbelow(True)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize=9)


def _save(figure: Figure, form: str, metadata: dict[str, Any]) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
    return buffer.getvalue()
