"""Events as JSON, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from vidan.events import Event

from ...formats.events import event_line
from ..textfile import TextFile


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
        self._file.write(event_line(event) for event in events)

    @property
    def outputs(self) -> list[str]:
        """The path of the file."""
        return [self._file.path]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
