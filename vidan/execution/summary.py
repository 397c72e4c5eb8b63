"""The summary of a run, and its `summary.json`."""

from __future__ import annotations

import html
import json
import logging
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from ..events import Measure
from ..interfaces import ReportsOutages, ReportsOutputs
from ..runtime.pipeline import Pipeline
from ..support.text import utf8
from .parts import Parts

log = logging.getLogger(__name__)

TRACE_FILE = "trace.json"
"""The trace of a run, in its directory."""

SUMMARY_FILE = "summary.json"
"""The summary of a run, in its directory."""


class Summary(TypedDict):
    """The content of `summary.json`.

    Attributes:
        frames: frames that went through the pipeline.
        captured: frames that the source delivered.
        dropped: frames of a live source that were replaced by newer ones.
        skipped: frames that the source could not read.
        detections: boxes that the detector found.
        objects: number of track ids by label.
        events: number of events by kind.
        measures: last values of the analyzers and sinks, such as counts: see `measure_records`.
        fps: frames per second.
        stages_ms: duration of each stage, ms: mean and percentiles.
        age_ms: age of the frames when each sink was done with them, ms: mean and percentiles.
        outages: of the source.
        interrupted: whether the run was stopped early by a signal.
        error: the message of the error that ended the run.
        failures: the messages of all errors, including those of sinks that the run went on without.
        outputs: paths of the files that were written.
    """

    frames: int
    captured: int
    dropped: int
    skipped: int
    detections: int
    objects: dict[str, int]
    events: dict[str, int]
    measures: list[dict[str, Any]]
    fps: float
    stages_ms: dict[str, dict[str, float]]
    age_ms: dict[str, dict[str, float]]
    outages: list[dict[str, Any]]
    interrupted: bool
    error: str | None
    failures: list[str]
    outputs: list[str]


class SummaryTable(dict[str, Any]):
    """The summary, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        rows = {
            "frames": f"{self['frames']} ({self['dropped']} dropped, {self['skipped']} skipped)",
            "detections": self["detections"],
            "tracks": ", ".join(f"{n} {label}" for label, n in self["objects"].items()) or "none",
            "speed": f"{self['fps']:.1f} fps",
            "outputs": ", ".join(self["outputs"]),
        }
        cells = (
            f"<tr><th>{key}</th><td>{html.escape(str(value))}</td></tr>"
            for key, value in rows.items()
        )
        return f"<table>{''.join(cells)}</table>"


def summarize(
    pipeline: Pipeline,
    parts: Parts,
    directory: Path,
    error: BaseException | None,
    *,
    traced: bool,
) -> Summary:
    """The summary of a run that has ended.

    Args:
        pipeline: of the run.
        parts: its components.
        directory: of the run.
        error: that ended it; None if there was none.
        traced: whether a trace was written.
    """
    outputs = [
        path
        for part in (*parts.sinks.values(), *parts.analyzers.values())
        if isinstance(part, ReportsOutputs)
        for path in part.outputs
    ]
    files = [TRACE_FILE, SUMMARY_FILE] if traced else [SUMMARY_FILE]
    outages = parts.source.outages if isinstance(parts.source, ReportsOutages) else ()
    analyses = [stream.analysis for stream in pipeline.streams]
    values = pipeline.stats.summary() | {
        "measures": [record for a in analyses for record in measure_records(a.measures())],
        "outages": [outage.summary() for outage in outages],
        "interrupted": pipeline.interrupted is not None,
        "error": None if error is None else str(error),
        "failures": [str(failure) for failure in pipeline.failures],
        "outputs": [*outputs, *(str(directory / file) for file in files)],
    }
    return typing.cast(Summary, SummaryTable(values))


def measure_records(measures: Mapping[Measure, float]) -> list[dict[str, Any]]:
    """Measures ready for JSON: `name`, `labels` and `value` of each."""
    return [
        {"name": measure.name, "labels": dict(measure.labels), "value": value}
        for measure, value in measures.items()
    ]


def write_summary(directory: Path, summary: Summary) -> None:
    """Write `summary.json`; a failure is logged, since it must not hide the end of the run."""
    path = directory / SUMMARY_FILE
    try:
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        path.write_bytes(utf8(text + "\n"))
    except OSError as error:
        log.error("cannot write %s: %s", path, error)
