"""Metrics of a run: throughput, CPU time, latency of each stage, and age of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vidan.errors import ConfigError

from .results import spread
from .runs import Span, TracedRun

Metrics = dict[str, Any]
"""Numbers by name, in nested groups."""

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}

MIN_FRAMES = 2
"""Frames required after the burn-in: a rate needs the interval between two of them."""


def run_metrics(run: TracedRun, burn_in: int) -> Metrics:
    """The metrics of one run.

    Args:
        run: the run.
        burn_in: number of frames read at the start that are not measured.

    Returns:
        `run`: fps; cpu_ms, of the whole process per frame; frames, dropped and skipped after
        the burn-in; startup_s until all components are built, and first_result_s until a sink
        has the first result, both from the start of the process; closing_s from the last
        result to the end of the process; peak_memory_mb. `stages_ms`: for each stage percentiles
        of its time per frame, and cpu, the mean CPU time of its thread. `ages_ms`: for `result`
        and each sink, percentiles of the time since the frame was captured.

    Raises:
        ConfigError: there are too few frames after the burn-in.
    """
    tracked = run.stages.get("tracker", [])
    first_index = first_measured(run, burn_in) if tracked else -1
    measured = [] if first_index < 0 else spans_from(tracked, first_index)
    if len(measured) < MIN_FRAMES:
        raise ConfigError(
            f"burn_in={burn_in}: only {len(tracked)} frames were tracked in total: set more "
            "max_frames or a smaller burn_in"
        )
    first, last = measured[0], measured[-1]
    intervals = len(measured) - 1
    cpu = last.args["process_cpu"] - first.args["process_cpu"]
    stages = {name: spans_from(spans, first.frame) for name, spans in run.stages.items()}
    read = [span.frame for span in stages["source"] if span.frame <= last.frame]
    whole = {
        "fps": intervals / (last.end - first.end),
        "cpu_ms": 1e3 * cpu / intervals,
        "frames": len(measured),
        "dropped": len(read) - len(measured),
        "skipped": last.frame - first.frame + 1 - len(read),
        "startup_s": run.started,
        "first_result_s": _first_result(run),
        "closing_s": run.seconds - tracked[-1].end,
    }
    if run.peak_memory is not None:
        whole["peak_memory_mb"] = run.peak_memory
    return {
        "run": whole,
        "stages_ms": {name: _times(spans) for name, spans in stages.items() if spans},
        "ages_ms": {name: _percentiles(ages) for name, ages in ages_ms(run, first.frame).items()},
    }


def first_measured(run: TracedRun, burn_in: int) -> int:
    """Index of the first tracked frame after the burn-in; -1 if there is none."""
    read = [span.frame for span in run.stages["source"]][burn_in:]
    if not read:
        return -1
    return next((s.frame for s in run.stages["tracker"] if s.frame >= read[0]), -1)


def spans_from(spans: Sequence[Span], first: int) -> list[Span]:
    """The spans of the frames from index `first`."""
    return [span for span in spans if span.frame >= first]


def ages_ms(run: TracedRun, first: int) -> dict[str, list[float]]:
    """Time from the capture of each frame from index `first` to its result, ms.

    By place: `result` is the end of tracking; a sink's name is when that sink was done.
    """
    return {
        "result" if name == "tracker" else name: [
            1e3 * (span.end - run.captured[span.frame]) for span in spans_from(spans, first)
        ]
        for name, spans in run.stages.items()
        if _completes_result(name) and spans_from(spans, first)
    }


def combine(runs: Sequence[Mapping[str, Any]]) -> Metrics:
    """The metrics that all runs have, each summarized by `results.spread`."""
    first, *others = runs
    common = [name for name in first if all(name in other for other in others)]
    return {
        name: combine([run[name] for run in runs])
        if isinstance(first[name], Mapping)
        else spread(run[name] for run in runs)
        for name in common
    }


def _completes_result(stage: str) -> bool:
    return stage.startswith("sink.") or stage == "tracker"


def _first_result(run: TracedRun) -> float:
    """When a sink had the first result, or the tracker if there is no sink, s."""
    sinks = [spans[0].end for name, spans in run.stages.items() if name.startswith("sink.")]
    return min(sinks, default=run.stages["tracker"][0].end)


def _times(spans: Sequence[Span]) -> dict[str, float]:
    cpu = float(np.mean([span.cpu for span in spans])) * 1e3
    return _percentiles([1e3 * (span.end - span.start) for span in spans]) | {"cpu": cpu}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    found = np.percentile(np.array(values), list(PERCENTILES.values())).tolist()
    return dict(zip(PERCENTILES, found, strict=True))
