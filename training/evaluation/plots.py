"""Plots of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidan.support.extras import import_extra

from .coco import ALL, ANY, MetricsRow
from .confusion import Counts
from .measure import EvaluationResult, Points
from .ranking import BINS, PrecisionRecallCurve, Reliability
from .report import MISSED, NOTHING

MARKERS = ("o", "^", "s")
"""Markers of the operating points of a curve."""


def plot(path: Path, title: str, result: EvaluationResult) -> None:
    """Plot slices, precision over recall, reliability and confusion into one image file.

    Raises:
        PluginError: matplotlib is not installed.
    """
    figure = import_extra("matplotlib.figure", "eval").Figure(
        figsize=(13, 10), layout="constrained"
    )
    figure.suptitle(title)
    (top_left, top_right), (low_left, low_right) = figure.subplots(2, 2)
    _plot_slices(top_left, {name: each.rows for name, each in result.slices.items()})
    _plot_curves(top_right, result.curves, result.points)
    _plot_reliability(low_left, result.reliability)
    _plot_confusion(low_right, result.confusion, result.labels)
    figure.savefig(path, dpi=110)


def _plot_slices(axes: Any, slices: Mapping[str, Mapping[str, MetricsRow]]) -> None:
    rows = [row for row in next(iter(slices.values())) if row != ALL]
    width = 0.8 / len(rows)
    for k, row in enumerate(rows):
        positions = np.arange(len(slices)) + (k - (len(rows) - 1) / 2) * width
        heights = [metrics[row]["AP50"] for metrics in slices.values()]
        axes.bar(positions, np.nan_to_num(heights), width, label=row, color=_color(row, k))
    axes.set_xticks(range(len(slices)), [name.replace("_", "\n") for name in slices])
    axes.set(ylabel="AP50", ylim=(0, 1.18), yticks=np.arange(0, 1.01, 0.2), title="by slice")
    axes.legend(fontsize="small", ncols=2, loc="upper center", framealpha=0.9)
    _style(axes)


def _plot_curves(
    axes: Any, curves: Mapping[str, PrecisionRecallCurve], points: Mapping[str, Points]
) -> None:
    for k, (name, curve) in enumerate(curves.items()):
        color = _color(name, k)
        axes.plot(curve.recall, curve.precision, color=color, label=name, linewidth=1.5)
        for kind, marker in zip(points[name], MARKERS, strict=True):
            point = points[name][kind]
            if point is not None:
                axes.plot(point.recall, point.precision, marker, color=color, markersize=7)
    for kind, marker in zip(next(iter(points.values())), MARKERS, strict=True):
        axes.plot([], [], marker, color="gray", label=kind)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("precision over recall, IoU 0.5, clean")
    axes.legend(fontsize="small", loc="lower left", framealpha=0.9)
    _style(axes)


def _plot_reliability(axes: Any, reliability: Reliability) -> None:
    middles = (np.arange(BINS) + 0.5) / BINS
    precision = reliability.precision
    axes.bar(middles, np.nan_to_num(precision), 0.9 / BINS, color="tab:blue", alpha=0.7)
    axes.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    axes.plot(reliability.scores, precision, "o", color="black", markersize=4)
    for x, height, count in zip(middles, precision, reliability.counts, strict=True):
        axes.text(x, min(np.nan_to_num(height) + 0.02, 1.0), count, ha="center", fontsize="small")
    axes.set(xlabel="score", ylabel="fraction that is right", xlim=(0, 1), ylim=(0, 1.08))
    axes.set_title(f"reliability, ECE {reliability.error:.3f}; number of detections above bars")
    _style(axes)


def _plot_confusion(axes: Any, counts: Counts, labels: Sequence[str]) -> None:
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(fractions, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if row == column == len(labels):
            continue
        color = "white" if fractions[row, column] > 0.5 else "black"
        axes.text(column, row, count, ha="center", va="center", color=color)
    ticks = range(len(labels) + 1)
    axes.set_xticks(ticks, [*labels, MISSED], rotation=15, ha="right")
    axes.set_yticks(ticks, [*labels, NOTHING])
    axes.set(xlabel="found", ylabel="truth", title="confusion at the threshold of a run, clean")


def _color(name: str, index: int) -> str:
    return "dimgray" if name in (ANY, ALL) else f"C{(index - 1) % 10}"


def _style(axes: Any) -> None:
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
