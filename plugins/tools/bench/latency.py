"""How fast, how late and at what cost vidan runs: in file mode and in camera mode."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.subcommands import write_json

from . import plot
from .figures import LiveStats, ages_ms, counting, figures, first_counted, together
from .results import Cell, Table, result
from .runs import Run, run

log = logging.getLogger(__name__)

MODES = {
    "file": (["source.live=false"], []),
    "camera": (["source.live=true"], ["sink=[discard]"]),
}
"""What each mode sets at a source that can be either, and the sinks where nobody chose any."""

ABOUT = {
    "file": "every frame, as fast as it goes",
    "camera": "the source paced, late frames dropped",
}

PERCENTILES = range(101)
"""Percentiles of the ages that are kept for the plot."""

FIGURES = {
    "fps": "frames/s",
    "cpu_ms": "CPU per frame, ms",
    "peak_memory_mb": "peak memory, MB",
    "startup_s": "start-up, s",
    "first_result_s": "first result, s",
    "closing_s": "last result to the end, s",
    "frames": "frames counted",
    "dropped": "dropped",
    "skipped": "skipped by the source",
}
"""The figures of a whole run, as a table calls them."""


@dataclass(frozen=True)
class Settings:
    """What to measure.

    Attributes:
        overrides: of `vidan`: source, detector, tracker and so on.
        modes: of MODES.
        runs: of each mode.
        burn_in: first frames that do not count.
        raw: whether to write the age of every result to `<mode>_ages_ms.json`.
        switchable: whether the source has a key `live`, which the modes set.
        own_sinks: whether the overrides choose the sinks.
    """

    overrides: tuple[str, ...]
    modes: tuple[str, ...]
    runs: int
    burn_in: int
    raw: bool = False
    switchable: bool = True
    own_sinks: bool = False

    def of_mode(self, mode: str) -> list[str]:
        """The overrides of a mode."""
        live, sinks = MODES[mode]
        added = [*(live if self.switchable else []), *([] if self.own_sinks else sinks)]
        return [*self.overrides, *added]


def latency(settings: Settings, folder: Path, command: str, name: str = "latency") -> LiveStats:
    """Measure, and draw the plot.

    Args:
        settings: what to measure.
        folder: where the outputs of the runs and the plot go.
        command: that measures it again, for the result.
        name: of the result.

    Returns:
        A result (see `results`) with `settings`, and in `modes` for each mode `figures` as
        spreads (see `figures.figures`), `ages`, their percentiles 0 to 100 in ms over all runs,
        and `frame`, when the median frame was in each stage.

    Raises:
        VidanError: a run failed.
    """
    modes = {mode: _measure(mode, settings, folder) for mode in settings.modes}
    picture = f"{name}.png"
    plot.latency(folder / picture, modes)
    about = {
        "overrides": list(settings.overrides),
        "runs": settings.runs,
        "burn_in": settings.burn_in,
    }
    return result(
        name,
        "Latency, from capture to sink",
        command,
        list(tables(modes)),
        [picture],
        settings=about,
        modes=modes,
    )


def _measure(mode: str, settings: Settings, folder: Path) -> LiveStats:
    runs: list[Run] = []
    found: list[LiveStats] = []
    for number in range(1, settings.runs + 1):
        runs.append(run(settings.of_mode(mode), folder / f"{mode}_{number}"))
        found.append(figures(runs[-1], settings.burn_in))
        log.info(
            "%s, run %d of %d: %.1f frames/s, %.0f ms of CPU per frame, %d dropped",
            *(mode, number, settings.runs),
            *(found[-1]["run"][key] for key in ("fps", "cpu_ms", "dropped")),
        )
    pooled = _samples(runs, settings.burn_in)
    if settings.raw:
        write_json(folder / f"{mode}_ages_ms.json", pooled)
    return {
        "figures": together(found),
        "ages": {place: percentiles(ages) for place, ages in pooled.items()},
        "frame": median_frame(runs[len(runs) // 2], settings.burn_in),
    }


def _samples(runs: Sequence[Run], burn_in: int) -> dict[str, list[float]]:
    """The ages of all frames in all runs by place, ms."""
    pooled: dict[str, list[float]] = {}
    for each in runs:
        for place, ages in ages_ms(each, first_counted(each, burn_in)).items():
            pooled.setdefault(place, []).extend(ages)
    return pooled


def percentiles(values: Sequence[float]) -> list[float]:
    """The percentiles 0 to 100, rounded."""
    return [round(value, 2) for value in np.percentile(values, PERCENTILES).tolist()]


def median_frame(run: Run, burn_in: int) -> dict[str, dict[str, float]]:
    """When the median frame was in each stage: `start` and `end`, ms after its capture.

    With `cpu`, the time that the stage's own thread computed in between, ms.
    """
    first = first_counted(run, burn_in)
    tracked = {span.frame for span in run.stages["tracker"]}
    found = {}
    for name, spans in run.stages.items():
        rows = [
            (span.start - run.captured[span.frame], span.end - run.captured[span.frame], span.cpu)
            for span in counting(spans, first)
            if span.frame in tracked
        ]
        if rows:
            start, end, cpu = (1e3 * np.median(np.array(rows), axis=0)).round(3).tolist()
            found[name] = {"start": start, "end": end, "cpu": cpu}
    return found


def tables(modes: dict[str, Any]) -> Iterator[Table]:
    """The figures of each mode for people: of whole runs, and of stages."""
    columns = [f"{mode}: {word}" for mode in modes for word in ("median", "low to high")]
    rows: list[list[Cell]] = []
    for key, title in FIGURES.items():
        row: list[Cell] = [title]
        for mode in modes.values():
            row += _spread(mode["figures"]["run"].get(key))
        rows.append(row)
    said = "; ".join(f"{mode}: {ABOUT[mode]}" for mode in modes)
    yield Table("Whole runs", ["", *columns], rows, said)
    percentiles = ["p50", "p95", "p99", "max"]
    for name, mode in modes.items():
        stages: list[list[Cell]] = [
            [stage, *(ms[p]["median"] for p in percentiles), ms["cpu"]["median"]]
            for stage, ms in mode["figures"]["stages_ms"].items()
        ]
        for place, ms in mode["figures"]["ages_ms"].items():
            stages.append([f"age at {place}", *(ms[p]["median"] for p in percentiles), None])
        yield Table(
            f"Stages in {name} mode, ms per frame",
            ["", *percentiles, "CPU of its thread"],
            stages,
            "Rows such as resized, yuv and rgb are part of the stage that asked for the pixels. "
            "Threads that libraries start (decoder, model, encoder) count in CPU per frame only.",
        )


def _spread(found: dict[str, Any] | None) -> list[Cell]:
    if found is None:
        return [None, None]
    low, high = found["low"], found["high"]
    return [found["median"], f"{low:.3g} to {high:.3g}"]
