"""The plots of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.subcommands import import_extra

from .coco import ALL, ANY, Row
from .confusion import Table
from .measure import Outcome, Points
from .ranking import BINS, Curve, Reliability
from .report import MISSED, NOTHING


def plot(path: Path, title: str, outcome: Outcome) -> None:
    """Draw slices, precision over recall, reliability and confusion into one image.

    Raises:
        PluginError: matplotlib is not installed.
    """
    figure = import_extra("matplotlib.figure", "eval").Figure(
        figsize=(13, 10), layout="constrained"
    )
    figure.suptitle(title)
    (top_left, top_right), (low_left, low_right) = figure.subplots(2, 2)
    _slices(top_left, {name: one.rows for name, one in outcome.slices.items()})
    _curves(top_right, outcome.curves, outcome.points)
    _reliability(low_left, outcome.reliable)
    _confusion(low_right, outcome.counts, outcome.labels)
    figure.savefig(path, dpi=110)


def _slices(axes: Any, slices: Mapping[str, Mapping[str, Row]]) -> None:
    rows = [row for row in next(iter(slices.values())) if row != ALL]
    width = 0.8 / len(rows)
    for k, row in enumerate(rows):
        places = np.arange(len(slices)) + (k - (len(rows) - 1) / 2) * width
        heights = [figures[row]["AP50"] for figures in slices.values()]
        axes.bar(places, np.nan_to_num(heights), width, label=row, color=_color(row, k))
    axes.set_xticks(range(len(slices)), [name.replace("_", "\n") for name in slices])
    axes.set(ylabel="AP50", ylim=(0, 1.18), yticks=np.arange(0, 1.01, 0.2), title="by slice")
    axes.legend(fontsize="small", ncols=2, loc="upper center", framealpha=0.9)
    _light(axes)


def _curves(axes: Any, curves: Mapping[str, Curve], points: Mapping[str, Points]) -> None:
    for k, (name, curve) in enumerate(curves.items()):
        color = _color(name, k)
        axes.plot(curve.recall, curve.precision, color=color, label=name, linewidth=1.5)
        for kind, marker in zip(points[name], ("o", "^", "s"), strict=True):
            point = points[name][kind]
            if point is not None:
                axes.plot(point.recall, point.precision, marker, color=color, markersize=7)
    for kind, marker in zip(next(iter(points.values())), ("o", "^", "s"), strict=True):
        axes.plot([], [], marker, color="gray", label=kind)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.set_title("precision over recall, IoU 0.5, clean")
    axes.legend(fontsize="small", loc="lower left", framealpha=0.9)
    _light(axes)


def _reliability(axes: Any, reliable: Reliability) -> None:
    middles = (np.arange(BINS) + 0.5) / BINS
    axes.bar(middles, np.nan_to_num(reliable.precision), 0.9 / BINS, color="tab:blue", alpha=0.7)
    axes.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    axes.plot(reliable.scores, reliable.precision, "o", color="black", markersize=4)
    for x, height, count in zip(middles, reliable.precision, reliable.counts, strict=True):
        axes.text(x, min(np.nan_to_num(height) + 0.02, 1.0), count, ha="center", fontsize="small")
    axes.set(xlabel="score", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.08))
    axes.set_title(f"reliability, ECE {reliable.error:.3f}; how many, above the bars")
    _light(axes)


def _confusion(axes: Any, counts: Table, labels: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if row == column == len(labels):
            continue
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, count, ha="center", va="center", color=color)
    ticks = range(len(labels) + 1)
    axes.set_xticks(ticks, [*labels, MISSED], rotation=15, ha="right")
    axes.set_yticks(ticks, [*labels, NOTHING])
    axes.set(xlabel="found", ylabel="truth", title="confusion at the threshold of a run, clean")


def _color(name: str, index: int) -> str:
    return "dimgray" if name in (ANY, ALL) else f"C{(index - 1) % 10}"


def _light(axes: Any) -> None:
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
