"""The summary of a run, and its `summary.json`."""

from __future__ import annotations

import html
import json
import logging
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from ..events import Measure
from ..stats import Stats
from ..support.text import utf8

log = logging.getLogger(__name__)

TRACE_FILE = "trace.json"
"""The trace of a run, in its directory."""

SUMMARY_FILE = "summary.json"
"""The summary of a run, in its directory."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run, or one of its streams, ended.

    Attributes:
        error: that ended it; None if there was none.
        failures: all errors.
        interrupted: whether a signal stopped it.
        files: paths of files that it wrote besides its sinks and analyzers.
    """

    error: BaseException | None
    failures: Sequence[BaseException]
    interrupted: bool
    files: Sequence[str] = ()


class Summary(TypedDict):
    """The content of `summary.json`.

    Attributes:
        frames: frames that went through the pipeline.
        captured: frames that the source delivered.
        dropped: frames of a live source that were replaced by newer ones.
        skipped: frames that the source could not read.
        detected: frames that the detector got.
        still: frames that it did not get because nothing moved: see `detector.when`.
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
        streams: the summary of each stream by its name, in a run of several. Durations and ages
            are in these only.
    """

    frames: int
    captured: int
    dropped: int
    skipped: int
    detected: int
    still: int
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
    streams: NotRequired[dict[str, Summary]]


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
    stats: Stats,
    ending: Ending,
    *,
    measures: Sequence[Mapping[str, Any]] = (),
    outages: Sequence[Mapping[str, Any]] = (),
    outputs: Sequence[str] = (),
) -> Summary:
    """The summary of a stream, or of a run of several.

    Args:
        stats: of the stream, or in total.
        ending: how it ended.
        measures: last values of the analyzers; see `measure_records`.
        outages: of the source.
        outputs: paths of the files that sinks and analyzers wrote.
    """
    values = {
        **stats.summary(),
        "measures": list(measures),
        "outages": list(outages),
        "interrupted": ending.interrupted,
        "error": None if ending.error is None else str(ending.error),
        "failures": [str(failure) for failure in ending.failures],
        "outputs": [*outputs, *ending.files],
    }
    return typing.cast(Summary, SummaryTable(values))


def combine(streams: Mapping[str, Summary], stats: Stats, ending: Ending) -> Summary:
    """The summary of a run of several streams.

    Args:
        streams: the summary of each, by its name.
        stats: in total.
        ending: how the run ended.
    """
    total = summarize(
        stats,
        ending,
        measures=[
            measure | {"labels": {"stream": name} | measure["labels"]}
            for name, each in streams.items()
            for measure in each["measures"]
        ],
        outages=[
            {"stream": name} | outage
            for name, each in streams.items()
            for outage in each["outages"]
        ],
        outputs=[path for each in streams.values() for path in each["outputs"]],
    )
    total["streams"] = dict(streams)
    return total


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


def read_summary(directory: Path) -> Summary | None:
    """The summary of the run in a directory; None if it has none, as before its end."""
    try:
        found = json.loads((directory / SUMMARY_FILE).read_text(encoding="utf-8"))
        known = isinstance(found["frames"], int) and {"error", "interrupted"} <= found.keys()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return typing.cast(Summary, found) if known else None


def is_complete(summary: Summary | None) -> bool:
    """Whether a run has ended by itself and without an error."""
    return summary is not None and summary["error"] is None and not summary["interrupted"]
