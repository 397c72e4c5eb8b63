"""Sweeps: the results of one measurement for several settings, in one table and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import plot
from .results import Cell, Table, result
from .run_metrics import Metrics

SWEEP_METRICS = {
    "fps": ("run", "fps"),
    "CPU per frame, ms": ("run", "cpu_ms"),
    "age at result, p95, ms": ("ages_ms", "result", "p95"),
    "detector, p50, ms": ("stages_ms", "detector", "p50"),
    "peak memory, MB": ("run", "peak_memory_mb"),
    "dropped": ("run", "dropped"),
}
"""The metrics of a sweep by title: their places in the metrics of a mode."""

PLOTTED = tuple(SWEEP_METRICS)[:4]
"""Titles of the metrics that the plot shows."""


def sweep(
    measured: Sequence[tuple[Sequence[str], Mapping[str, Any]]], folder: Path, command: str
) -> Metrics:
    """Combine several results into one.

    Args:
        measured: overrides and result of each measurement.
        folder: for the plot.
        command: repeats the measurement.

    Returns:
        A result (see `results`); `settings` are the overrides that differ, and `modes` holds
        for each mode and setting the metrics in SWEEP_METRICS.
    """
    labels = _labels([overrides for overrides, _ in measured])
    modes = {
        mode: {
            label: select_metrics(found["modes"][mode]["figures"])
            for label, (_, found) in zip(labels, measured, strict=True)
        }
        for mode in measured[0][1]["modes"]
    }
    tables = [
        Table(f"{mode} mode", ["", *SWEEP_METRICS], [_row(*item) for item in settings.items()])
        for mode, settings in modes.items()
    ]
    draw(folder / "sweep.png", modes)
    return result(
        "sweep", "Cost by setting", command, tables, ["sweep.png"], settings=labels, modes=modes
    )


def _labels(jobs: Sequence[Sequence[str]]) -> list[str]:
    """A label for each job: the overrides that not all jobs have in common."""
    common = set(jobs[0]).intersection(*jobs[1:])
    return [", ".join(o for o in job if o not in common) or "as given" for job in jobs]


def select_metrics(metrics: Mapping[str, Any]) -> Metrics:
    """The metrics in SWEEP_METRICS, in the same groups."""
    selected: Metrics = {}
    for path in SWEEP_METRICS.values():
        found = lookup(metrics, path)
        if found is not None:
            group = selected
            for name in path[:-1]:
                group = group.setdefault(name, {})
            group[path[-1]] = found
    return selected


def lookup(metrics: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any] | None:
    """The summary at a place in metrics; None if there is none."""
    found: Any = metrics
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _row(label: str, metrics: Mapping[str, Any]) -> list[Cell]:
    found = [lookup(metrics, path) for path in SWEEP_METRICS.values()]
    return [label, *(None if one is None else one["median"] for one in found)]


def draw(path: Path, modes: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw a bar for each setting, with the lowest and the highest run.

    Raises:
        PluginError: matplotlib is not installed.
    """
    labels = list(next(iter(modes.values())))
    width = 0.8 / len(modes)
    drawn = plot.figure(3.2 * len(PLOTTED), 2.2 + 0.32 * len(labels) * len(modes))
    for axes, title in zip(drawn.subplots(1, len(PLOTTED), sharey=True), PLOTTED, strict=True):
        for n, (mode, settings) in enumerate(modes.items()):
            found = [lookup(settings[label], SWEEP_METRICS[title]) for label in labels]
            values = [0.0 if one is None else one["median"] for one in found]
            errors = [
                [0.0 if one is None else abs(one[end] - one["median"]) for one in found]
                for end in ("low", "high")
            ]
            places = [k + (n - (len(modes) - 1) / 2) * width for k in range(len(labels))]
            axes.barh(places, values, width, xerr=errors, label=mode, capsize=2, ecolor="#444444")
        axes.set_title(title, loc="left", fontsize="medium")
        axes.grid(axis="x", alpha=0.3)
    first = drawn.axes[0]
    short = [", ".join(o.rpartition(".")[2] for o in label.split(", ")) for label in labels]
    ambiguous = len(set(short)) < len(labels)
    first.set_yticks(range(len(labels)), labels if ambiguous else short, fontsize="small")
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
