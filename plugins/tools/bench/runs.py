"""Runs `vidan` in a fresh process, and reads the trace that it writes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidan.errors import ConfigError, VidanError


@dataclass(frozen=True)
class Span:
    """The work of one thread on one frame; times in s since the process was started.

    Attributes:
        name: the stage.
        frame: index of the frame.
        start: start time.
        end: end time.
        cpu: CPU time of the thread, s.
        args: further arguments of the trace event.
    """

    name: str
    frame: int
    start: float
    end: float
    cpu: float
    args: dict[str, Any]


@dataclass(frozen=True)
class TracedRun:
    """One run of vidan, as its trace describes it.

    Attributes:
        stages: the spans of each stage, and of its image conversions, in order of time.
        captured: when the source had each frame, s.
        started: when all components were built, s since the process was started.
        seconds: duration of the process.
        peak_memory: MB; None if it is unknown.
        summary: content of summary.json.
    """

    stages: dict[str, list[Span]]
    captured: dict[int, float]
    started: float
    seconds: float
    peak_memory: float | None
    summary: dict[str, Any]


def run_vidan(overrides: Sequence[str], folder: Path) -> TracedRun:
    """Run `vidan <overrides>` with a folder as its run directory.

    Raises:
        VidanError: the run failed; with its error message.
    """
    # Each run from zero, and no file of counts in the working directory.
    added = ["trace=true", "counts.reset=start", f"hydra.run.dir={folder}"]
    command = [sys.executable, "-m", "vidan", *overrides, *added]
    spawned = time.monotonic()  # the same clock in all processes
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    seconds = time.monotonic() - spawned
    if done.returncode:
        output = [line for line in done.stderr.splitlines() if line.strip()] or ["no output"]
        kind = ConfigError if done.returncode == ConfigError.exit_code else VidanError
        raise kind(output[-1].removeprefix("vidan: error: "))
    trace = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return parse_trace(trace, summary, spawned, seconds)


def parse_trace(
    trace: dict[str, Any], summary: dict[str, Any], spawned: float, seconds: float
) -> TracedRun:
    """The run that a trace describes.

    Args:
        trace: content of trace.json, see `vidan.tracing.trace`.
        summary: content of summary.json.
        spawned: `time.monotonic()` when the process was started, s.
        seconds: duration of the process.
    """
    about = trace["otherData"]
    zero = about["zero"] - spawned
    stages: dict[str, list[Span]] = {}
    captured: dict[int, float] = {}
    for event in trace["traceEvents"]:
        if event["ph"] != "X":
            continue
        start, args = zero + event["ts"] / 1e6, event["args"]
        end = start + event["dur"] / 1e6
        span = Span(event["name"], args["frame"], start, end, event["tdur"] / 1e6, args)
        stages.setdefault(span.name, []).append(span)
        if "captured" in args:
            captured[span.frame] = zero + args["captured"] / 1e6
    return TracedRun(stages, captured, zero, seconds, about["peak_memory_mb"], summary)
