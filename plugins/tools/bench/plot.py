"""Plots of measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidan.kinds import KINDS
from vidan.support.extras import import_extra

COLORS = dict(zip(KINDS, ("#4477aa", "#cc6677", "#228833", "#aa3377"), strict=False))
SINK_COLORS = {"sink.video": "#aa7733", "sink.jsonl": "#ddaa33"}
PIXELS, OTHER = "#bbbbbb", "#666666"


def figure(width: float, height: float) -> Any:
    """An empty figure; width and height in inches.

    Raises:
        PluginError: matplotlib is not installed.
    """
    return import_extra("matplotlib.figure", "bench").Figure(
        figsize=(width, height), layout="constrained"
    )


def save(figure: Any, path: Path) -> None:
    """Save a figure as an image, without the top and right edges of its axes."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def latency(path: Path, modes: Mapping[str, Any]) -> None:
    """Draw, for each mode, the times of the median frame and the ages of results.

    Raises:
        PluginError: matplotlib is not installed.
    """
    drawn = figure(12, 0.6 + 3.4 * len(modes))
    grid = drawn.subplots(len(modes), 2, squeeze=False, width_ratios=(3, 2))
    for (left, right), (name, mode) in zip(grid, modes.items(), strict=True):
        _waterfall(left, mode["frame"])
        left.set_title(f"{name}: the median frame", loc="left")
        _distribution(right, mode["ages"])
        right.set_title(f"{name}: age of results", loc="left")
    save(drawn, path)


def _waterfall(axes: Any, frame: Mapping[str, Mapping[str, float]]) -> None:
    """Bars from start to end; the CPU time of the stage's own thread in full color."""
    stages = sorted(frame.items(), key=lambda item: item[1]["start"])
    for place, (name, at) in enumerate(stages):
        length = at["end"] - at["start"]
        color = _color(name)
        axes.barh(place, length, left=at["start"], color=color, alpha=0.35, height=0.7)
        axes.barh(place, min(at["cpu"], length), left=at["start"], color=color, height=0.7)
        axes.annotate(
            f" {length:.1f} ms", (at["end"], place), va="center", fontsize="small", color=OTHER
        )
    axes.set_yticks(range(len(stages)), [name for name, _ in stages])
    axes.invert_yaxis()
    axes.axvline(0, color=OTHER, linewidth=0.8, linestyle=":")
    axes.margins(x=0.12)
    axes.set_xlabel("ms after capture (full color: CPU time of the stage's thread)")
    axes.grid(axis="x", alpha=0.3)


def _distribution(axes: Any, ages: Mapping[str, Sequence[float]]) -> None:
    """The cumulative distribution of the ages, from their percentiles 0 to 100."""
    for place, percentiles in ages.items():
        label = f"{place}, p95 {percentiles[95]:.0f} ms"
        axes.plot(percentiles, range(101), color=_color(place), label=label)
    axes.axhline(95, color=OTHER, linewidth=0.8, linestyle=":")
    axes.set(xlabel="age, ms", ylabel="% of results", ylim=(0, 101))
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small", loc="lower right")


def _color(stage: str) -> str:
    if stage in SINK_COLORS:
        return SINK_COLORS[stage]
    kind = "tracker" if stage == "result" else stage.partition(".")[0]
    return COLORS.get(kind, PIXELS)
