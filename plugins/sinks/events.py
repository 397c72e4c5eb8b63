"""Events as JSON, one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vidan.events import Event

from .textfile import TextFile


class EventLines:
    """Writes one line of JSON per event, and gets every one.

    The keys are `id, kind, phase, stream, rule, time, frame, track, label, box, at, data`, in this
    order: `time` is stream time in s, `box` and `at` are in px of the source image. The file
    can be read while the run lasts, and after the process was killed.

    Args:
        path: output file.

    Raises:
        SinkError: the file cannot be opened or, later, written.
    """

    def __init__(self, path: str) -> None:
        self._file = TextFile(path)

    def emit(self, events: Sequence[Event]) -> None:
        """Write the lines of events."""
        self._file.write(
            json.dumps(event_record(event), ensure_ascii=False, allow_nan=False) for event in events
        )

    @property
    def outputs(self) -> list[str]:
        """The path of the file."""
        return [self._file.path]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def event_record(event: Event) -> dict[str, Any]:
    """The JSON object of an event: coordinates to 0.01 px, times and other numbers to 1e-6."""
    record = event.record()
    record["time"] = round(event.time, 6)
    for key in ("box", "at"):
        if record[key] is not None:
            record[key] = [round(float(value), 2) for value in record[key]]
    record["data"] = {
        key: round(value, 6) if isinstance(value, float) else value
        for key, value in event.data.items()
    }
    return record
