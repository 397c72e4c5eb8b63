"""Events as JSON, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from vidan.events import Event
from vidan.journal import RunJournal
from vidan.retention import Keep

from ...formats.events import event_line
from ..textfiles import TextFiles


class EventLines:
    """Writes one line of JSON per event, and gets every one.

    The keys are `id, kind, phase, stream, rule, time, frame, track, label, box, at, data`, in this
    order: `time` is stream time in s, `box` and `at` are in px of the source image. The file
    can be read while the run lasts, and after the process was killed.

    Args:
        path: output file; with `keep`, the folder and pattern of several, which have `-{time}` in
            front of the suffix.
        keep: maximum total size (`10GB`), age (`30d`) or number of the files, or several of
            them by name; None for one file with everything.

    Raises:
        ConfigError: `keep` is no limit.
        SinkError: the file cannot be opened or, later, written.
    """

    def __init__(self, path: str, keep: Keep = None) -> None:
        self._files = TextFiles(path, keep)

    def resume_from(self, journal: RunJournal) -> None:
        """See `Resumable`."""
        self._files.resume_from(journal)

    def emit(self, events: Sequence[Event]) -> None:
        """Write the lines of events."""
        self._files.write(event_line(event) for event in events)

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return list(self._files.paths)

    def close(self) -> None:
        """Close the file."""
        self._files.close()
