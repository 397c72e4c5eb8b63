"""Throughput, latency and CPU time of vidan, in file mode and in camera mode."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.subcommands import write_json

from . import plot
from .results import Cell, Table, result
from .run_metrics import Metrics, ages_ms, combine, first_measured, run_metrics, spans_from
from .runs import TracedRun, run_vidan

log = logging.getLogger(__name__)

MODES = {
    "file": (["source.live=false"], []),
    "camera": (["source.live=true"], ["sink=[discard]"]),
}
"""Overrides of each mode for a source that supports both, and sinks unless the user chose some."""

MODE_DESCRIPTIONS = {
    "file": "every frame, as fast as possible",
    "camera": "paced like a camera, late frames dropped",
}

PLOT_PERCENTILES = range(101)
"""Percentiles of the ages that are stored for the plot."""

METRIC_TITLES = {
    "fps": "frames/s",
    "cpu_ms": "CPU per frame, ms",
    "peak_memory_mb": "peak memory, MB",
    "startup_s": "start-up, s",
    "first_result_s": "first result, s",
    "closing_s": "last result to end, s",
    "frames": "frames measured",
    "dropped": "dropped",
    "skipped": "skipped by the source",
}
"""Titles of the metrics of a whole run in tables."""


@dataclass(frozen=True)
class BenchSettings:
    """What to measure.

    Attributes:
        overrides: arguments of `vidan`: source, detector, tracker and so on.
        modes: keys of MODES.
        runs: number of runs of each mode.
        burn_in: number of frames at the start that are not measured.
        raw: whether to write the age of every result to `<mode>_ages_ms.json`.
        switchable: whether the source has an option `live`, which the modes set.
        own_sinks: whether the overrides choose the sinks.
    """

    overrides: tuple[str, ...]
    modes: tuple[str, ...]
    runs: int
    burn_in: int
    raw: bool = False
    switchable: bool = True
    own_sinks: bool = False

    def overrides_of(self, mode: str) -> list[str]:
        """The overrides for a run in a mode."""
        live, sinks = MODES[mode]
        added = [*(live if self.switchable else []), *([] if self.own_sinks else sinks)]
        return [*self.overrides, *added]


def measure_latency(
    settings: BenchSettings, folder: Path, command: str, name: str = "latency"
) -> Metrics:
    """Run vidan in each mode, measure it, and draw the plot.

    Args:
        settings: what to measure.
        folder: for the outputs of the runs and the plot.
        command: repeats the measurement, for the result.
        name: of the result.

    Returns:
        A result (see `results`) with `settings`, and in `modes` for each mode `figures`, the
        metrics (see `run_metrics`) summarized over the runs, `ages`, their percentiles 0 to 100
        in ms over all runs, and `frame`, when the median frame was in each stage.

    Raises:
        VidanError: a run failed.
    """
    modes = {mode: _measure(mode, settings, folder) for mode in settings.modes}
    image = f"{name}.png"
    plot.latency(folder / image, modes)
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
        [image],
        settings=about,
        modes=modes,
    )


def _measure(mode: str, settings: BenchSettings, folder: Path) -> Metrics:
    runs: list[TracedRun] = []
    found: list[Metrics] = []
    for number in range(1, settings.runs + 1):
        runs.append(run_vidan(settings.overrides_of(mode), folder / f"{mode}_{number}"))
        found.append(run_metrics(runs[-1], settings.burn_in))
        log.info(
            "%s, run %d of %d: %.1f frames/s, %.0f ms of CPU per frame, %d dropped",
            *(mode, number, settings.runs),
            *(found[-1]["run"][key] for key in ("fps", "cpu_ms", "dropped")),
        )
    pooled = _pooled_ages(runs, settings.burn_in)
    if settings.raw:
        write_json(folder / f"{mode}_ages_ms.json", pooled)
    return {
        "figures": combine(found),
        "ages": {place: percentiles(ages) for place, ages in pooled.items()},
        "frame": median_frame(runs[len(runs) // 2], settings.burn_in),
    }


def _pooled_ages(runs: Sequence[TracedRun], burn_in: int) -> dict[str, list[float]]:
    """The ages of all frames in all runs by place, ms."""
    pooled: dict[str, list[float]] = {}
    for each in runs:
        for place, ages in ages_ms(each, first_measured(each, burn_in)).items():
            pooled.setdefault(place, []).extend(ages)
    return pooled


def percentiles(values: Sequence[float]) -> list[float]:
    """The percentiles 0 to 100, rounded."""
    return [round(value, 2) for value in np.percentile(values, PLOT_PERCENTILES).tolist()]


def median_frame(run: TracedRun, burn_in: int) -> dict[str, dict[str, float]]:
    """When the median frame was in each stage: `start` and `end`, ms after its capture.

    `cpu` is the CPU time of the stage's own thread in between, ms.
    """
    first = first_measured(run, burn_in)
    tracked = {span.frame for span in run.stages["tracker"]}
    found = {}
    for name, spans in run.stages.items():
        rows = [
            (span.start - run.captured[span.frame], span.end - run.captured[span.frame], span.cpu)
            for span in spans_from(spans, first)
            if span.frame in tracked
        ]
        if rows:
            start, end, cpu = (1e3 * np.median(np.array(rows), axis=0)).round(3).tolist()
            found[name] = {"start": start, "end": end, "cpu": cpu}
    return found


def tables(modes: dict[str, Any]) -> Iterator[Table]:
    """Tables of the metrics of each mode: of whole runs, and of stages."""
    columns = [f"{mode}: {word}" for mode in modes for word in ("median", "low to high")]
    rows: list[list[Cell]] = []
    for key, title in METRIC_TITLES.items():
        row: list[Cell] = [title]
        for mode in modes.values():
            row += _spread(mode["figures"]["run"].get(key))
        rows.append(row)
    note = "; ".join(f"{mode}: {MODE_DESCRIPTIONS[mode]}" for mode in modes)
    yield Table("Whole runs", ["", *columns], rows, note)
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
            "Rows such as resized, yuv and rgb are part of the stage that requested the pixels. "
            "Threads of libraries (decoder, model, encoder) count in CPU per frame only.",
        )


def _spread(found: dict[str, Any] | None) -> list[Cell]:
    if found is None:
        return [None, None]
    low, high = found["low"], found["high"]
    return [found["median"], f"{low:.3g} to {high:.3g}"]
