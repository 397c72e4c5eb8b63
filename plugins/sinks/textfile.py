"""A text file that only ever contains whole lines."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vidan.support.text import utf8

from .errors import write_error


class TextFile:
    """Writes whole lines and flushes each, so that the file can be read at any time.

    Args:
        path: output file; its folder is created, and an existing file is replaced.

    Attributes:
        path: of the file.
        size: bytes written so far.

    Raises:
        SinkError: the file cannot be opened or, later, written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered, so that closing does not retry a failed write.
            self._file = open(path, "wb", buffering=0)  # noqa: PTH123, SIM115
        except OSError as error:
            raise write_error(path, error, "choose another path") from error

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, given without line ends: all of them, or none if the disk is full."""
        data = utf8("".join(f"{line}\n" for line in lines))
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):  # a pipe cannot be truncated
                self._file.truncate(self.size)
            raise write_error(self.path, error) from error
        self.size += len(data)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        try:
            self._file.close()
        except OSError as error:
            raise write_error(self.path, error) from error
