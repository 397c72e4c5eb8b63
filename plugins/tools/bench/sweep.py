"""How cost grows: the results of one measurement for each of several settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import plot
from .figures import LiveStats
from .results import Cell, Table, result

SHOWN = {
    "fps": ("run", "fps"),
    "CPU per frame, ms": ("run", "cpu_ms"),
    "age at result, p95, ms": ("ages_ms", "result", "p95"),
    "detector, p50, ms": ("stages_ms", "detector", "p50"),
    "peak memory, MB": ("run", "peak_memory_mb"),
    "dropped": ("run", "dropped"),
}
"""The figures of a sweep, by title: where they are in the figures of a mode."""

PLOTTED = tuple(SHOWN)[:4]


def sweep(
    measured: Sequence[tuple[Sequence[str], Mapping[str, Any]]], folder: Path, command: str
) -> LiveStats:
    """One result of several.

    Args:
        measured: the overrides and the result of each.
        folder: where the plot goes.
        command: that measures it again.

    Returns:
        A result (see `results`); `settings` are the overrides that differ, and `modes` holds
        for each mode and setting the figures in SHOWN.
    """
    labels = _labels([overrides for overrides, _ in measured])
    modes = {
        mode: {
            label: shown(found["modes"][mode]["figures"])
            for label, (_, found) in zip(labels, measured, strict=True)
        }
        for mode in measured[0][1]["modes"]
    }
    tables = [
        Table(f"{mode} mode", ["", *SHOWN], [_row(*item) for item in settings.items()])
        for mode, settings in modes.items()
    ]
    draw(folder / "sweep.png", modes)
    title = "How cost grows"
    return result("sweep", title, command, tables, ["sweep.png"], settings=labels, modes=modes)


def _labels(jobs: Sequence[Sequence[str]]) -> list[str]:
    """Each job by those of its overrides that not all jobs have."""
    common = set(jobs[0]).intersection(*jobs[1:])
    return [", ".join(o for o in job if o not in common) or "as given" for job in jobs]


def shown(figures: Mapping[str, Any]) -> LiveStats:
    """The figures in SHOWN, in the same groups."""
    kept: LiveStats = {}
    for path in SHOWN.values():
        found = at(figures, path)
        if found is not None:
            group = kept
            for name in path[:-1]:
                group = group.setdefault(name, {})
            group[path[-1]] = found
    return kept


def at(figures: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any] | None:
    """The spread at a place in figures; None if it is not there."""
    found: Any = figures
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _row(label: str, figures: Mapping[str, Any]) -> list[Cell]:
    found = [at(figures, path) for path in SHOWN.values()]
    return [label, *(None if one is None else one["median"] for one in found)]


def draw(path: Path, modes: Mapping[str, Mapping[str, Any]]) -> None:
    """Bars for each setting, with the lowest and the highest run.

    Raises:
        PluginError: matplotlib is not installed.
    """
    labels = list(next(iter(modes.values())))
    width = 0.8 / len(modes)
    drawn = plot.figure(3.2 * len(PLOTTED), 2.2 + 0.32 * len(labels) * len(modes))
    for axes, title in zip(drawn.subplots(1, len(PLOTTED), sharey=True), PLOTTED, strict=True):
        for n, (mode, settings) in enumerate(modes.items()):
            found = [at(settings[label], SHOWN[title]) for label in labels]
            values = [0.0 if one is None else one["median"] for one in found]
            reach = [
                [0.0 if one is None else abs(one[end] - one["median"]) for one in found]
                for end in ("low", "high")
            ]
            places = [k + (n - (len(modes) - 1) / 2) * width for k in range(len(labels))]
            axes.barh(places, values, width, xerr=reach, label=mode, capsize=2, ecolor="#444444")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.grid(axis="x", alpha=0.3)
    first = drawn.axes[0]
    short = [", ".join(o.rpartition(".")[2] for o in label.split(", ")) for label in labels]
    whole = len(set(short)) < len(labels)  # where the last words alone would not tell them apart
    first.set_yticks(range(len(labels)), labels if whole else short, fontsize="small")
    first.invert_yaxis()
    if len(modes) > 1:
        drawn.legend(
            *first.get_legend_handles_labels(),
            frameon=False,
            fontsize="small",
            loc="outside lower right",
            ncols=2,
        )
    plot.save(drawn, path)
