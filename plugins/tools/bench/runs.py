"""Runs vidan itself, each time in a fresh process, and reads the trace that it leaves."""

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

STAGE = "stage"


@dataclass(frozen=True)
class Span:
    """What one thread did with one frame; times in s since the process was started.

    Attributes:
        name: the stage.
        frame: index of the frame.
        start: when it began.
        end: when it ended.
        cpu: processor time of that thread, s.
        more: what else the trace says of it.
    """

    name: str
    frame: int
    start: float
    end: float
    cpu: float
    more: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of vidan.

    Attributes:
        stages: the spans of each stage, and of what it did to pixels, in order of time.
        captured: when the source had each frame, s.
        started: when all components were there, s since the process was started.
        seconds: from the start of the process to its end.
        peak_memory: MB; None where it is not known.
        summary: what summary.json says.
    """

    stages: dict[str, list[Span]]
    captured: dict[int, float]
    started: float
    seconds: float
    peak_memory: float | None
    summary: dict[str, Any]


def run(overrides: Sequence[str], folder: Path) -> Run:
    """Run `vidan <overrides>` into a folder.

    Raises:
        VidanError: it failed; says what vidan said.
    """
    command = [sys.executable, "-m", "vidan", *overrides, "trace=true", f"hydra.run.dir={folder}"]
    spawned = time.monotonic()  # one clock for all processes
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    seconds = time.monotonic() - spawned
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
        kind = ConfigError if done.returncode == ConfigError.exit_code else VidanError
        raise kind(said[-1].removeprefix("vidan: error: "))
    trace = json.loads((folder / "trace.json").read_text(encoding="utf-8"))
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return read(trace, summary, spawned, seconds)


def read(trace: dict[str, Any], summary: dict[str, Any], spawned: float, seconds: float) -> Run:
    """A run from its trace.

    Args:
        trace: as of `vidan.tracing.trace`.
        summary: as of `summary.json`.
        spawned: `time.monotonic()` when its process was started, s.
        seconds: that its process took.
    """
    about = trace["otherData"]
    zero = about["zero"] - spawned
    stages: dict[str, list[Span]] = {}
    captured: dict[int, float] = {}
    for event in trace["traceEvents"]:
        if event["ph"] != "X":
            continue
        start, more = zero + event["ts"] / 1e6, event["args"]
        end = start + event["dur"] / 1e6
        span = Span(event["name"], more["frame"], start, end, event["tdur"] / 1e6, more)
        stages.setdefault(span.name, []).append(span)
        if "captured" in more:
            captured[span.frame] = zero + more["captured"] / 1e6
    return Run(stages, captured, zero, seconds, about["peak_memory_mb"], summary)
