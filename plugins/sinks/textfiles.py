"""Text that is split into several files, of which the newest are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable

from vidan.journal import RunJournal
from vidan.retention import Keep, Limits

from .clock import interval_start
from .rotation import Names, Retention
from .textfile import TextFile

DAY_S, HOUR_S = 86_400.0, 3_600.0

FILES_PER_LIMIT = 10
"""A file is at most this part of the size, and of the age, that is kept."""


class TextFiles:
    """Writes whole lines; with `keep`, into files whose names have the date and time.

    A new file starts at midnight, or on the hour if less than FILES_PER_LIMIT days are kept, and
    once a file has a tenth of the size that is kept. Without `keep` there is one file, which is
    opened at once.

    Args:
        path: of the one file, which is replaced; or folder and pattern of the names, which get
            `-{time}` in front of the suffix.
        keep: maximum total size, age or number of the files: see `Limits.parse`; None for one file.
        header: first line of each file; None for none.

    Raises:
        ConfigError: `keep` is no limit.
        SinkError: the file cannot be opened or, later, written.
    """

    def __init__(self, path: str, keep: Keep = None, header: str | None = None) -> None:
        limits = Limits.parse("keep", keep)
        self.paths: list[str] = []
        self._header = header
        self._file: TextFile | None = None
        self._retention = Retention("keep", keep)
        self._names = None if limits.keeps_all else Names("path", path, "time")
        self._max_size = limits.size / FILES_PER_LIMIT
        self._interval = DAY_S if limits.age >= FILES_PER_LIMIT * DAY_S else HOUR_S
        self._start = 0.0  # Unix time at which the interval of the file begins
        if self._names is None:
            self._open(path)

    def resume_from(self, job: RunJournal) -> None:
        """Delete the files of the interrupted run, which are written again."""
        if self._names is not None:
            self._names.resume_from(job)

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, given without line ends: all of them, or none if the disk is full."""
        if self._names is not None:
            self._rotate(self._names)
        assert self._file is not None
        self._file.write(lines)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _rotate(self, names: Names) -> None:
        now = time.time()
        start = interval_start(now, self._interval)
        if self._file is not None and start <= self._start and self._file.size < self._max_size:
            return
        self.close()
        self._start = start
        path = names.new(now)
        self._open(str(path))
        self._retention.prune(names, [path])

    def _open(self, path: str) -> None:
        self._file = TextFile(path)
        self.paths.append(path)
        if self._header is not None:
            self._file.write([self._header])
