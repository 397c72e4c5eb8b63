"""What a run was like, in figures, its first frames left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vidan.errors import ConfigError

from .results import spread
from .runs import Run, Span

LiveStats = dict[str, Any]
"""Numbers by name, in groups by name."""

PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}

LEAST = 2
"""Frames that must be left after the burn-in: a rate is over the gaps between them."""


def figures(run: Run, burn_in: int) -> LiveStats:
    """The figures of one run.

    Args:
        run: what was recorded.
        burn_in: how many of the first frames that were read do not count.

    Returns:
        `run`: fps; cpu_ms, of the whole process per frame; frames, dropped and skipped after
        the burn-in; startup_s until all components are there and first_result_s until a sink
        has the first result, both from the start of the process; closing_s from the last
        result to its end; peak_memory_mb. `stages_ms`: for each stage percentiles of its time
        per frame, and cpu, the mean of its own thread. `ages_ms`: for `result` and each sink,
        the same of the time since the frame was captured.

    Raises:
        ConfigError: too few frames came after the burn-in.
    """
    tracked = run.stages.get("tracker", [])
    begin = first_counted(run, burn_in) if tracked else -1
    counted = [] if begin < 0 else counting(tracked, begin)
    if len(counted) < LEAST:
        raise ConfigError(
            f"burn_in={burn_in}: only {len(tracked)} frames were tracked in all: more max_frames, "
            "or a smaller burn_in"
        )
    first, last = counted[0], counted[-1]
    gaps = len(counted) - 1
    cpu = last.more["process_cpu"] - first.more["process_cpu"]
    stages = {name: counting(spans, first.frame) for name, spans in run.stages.items()}
    read = [span.frame for span in stages["source"] if span.frame <= last.frame]
    whole = {
        "fps": gaps / (last.end - first.end),
        "cpu_ms": 1e3 * cpu / gaps,
        "frames": len(counted),
        "dropped": len(read) - len(counted),
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


def first_counted(run: Run, burn_in: int) -> int:
    """The index of the first frame behind the burn-in that was tracked; -1 if none was."""
    read = [span.frame for span in run.stages["source"]][burn_in:]
    if not read:
        return -1
    return next((s.frame for s in run.stages["tracker"] if s.frame >= read[0]), -1)


def _first_result(run: Run) -> float:
    """When the first result was in a sink, or out of the tracker where there is no sink, s."""
    sinks = [spans[0].end for name, spans in run.stages.items() if name.startswith("sink.")]
    return min(sinks, default=run.stages["tracker"][0].end)


def shows(stage: str) -> bool:
    """Whether a result is done here: at the tracker it is known, at a sink it is out."""
    return stage.startswith("sink.") or stage == "tracker"


def counting(spans: Sequence[Span], first: int) -> list[Span]:
    """The spans from a frame on."""
    return [span for span in spans if span.frame >= first]


def ages_ms(run: Run, first: int) -> dict[str, list[float]]:
    """How long after they were captured frames from `first` on were done, ms, by place."""
    return {
        "result" if name == "tracker" else name: [
            1e3 * (span.end - run.captured[span.frame]) for span in counting(spans, first)
        ]
        for name, spans in run.stages.items()
        if shows(name) and counting(spans, first)
    }


def _times(spans: Sequence[Span]) -> dict[str, float]:
    cpu = float(np.mean([span.cpu for span in spans])) * 1e3
    return _percentiles([1e3 * (span.end - span.start) for span in spans]) | {"cpu": cpu}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    found = np.percentile(np.array(values), list(PERCENTILES.values())).tolist()
    return dict(zip(PERCENTILES, found, strict=True))


def together(runs: Sequence[Mapping[str, Any]]) -> LiveStats:
    """The figures of several runs as spreads; of those that all runs have."""
    first, *others = runs
    common = [name for name in first if all(name in other for other in others)]
    return {
        name: together([run[name] for run in runs])
        if isinstance(first[name], Mapping)
        else spread(run[name] for run in runs)
        for name in common
    }
