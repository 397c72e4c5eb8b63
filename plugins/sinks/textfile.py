"""A text file that is written line by line, whole lines only."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vidan.errors import SinkError


class TextFile:
    """Lines of text, each flushed whole, so that what was written stays readable.

    Args:
        path: of the file; its folder is made if it is not there, and a file is replaced.

    Raises:
        SinkError: it cannot be opened or, later, written.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._size = 0
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: what could not be written is not tried again at the end.
            self._file = open(path, "wb", buffering=0)  # noqa: PTH123, SIM115
        except OSError as error:
            raise self._failed(error, "choose another path") from error

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, given without their ends: all of them, or none if there is no room."""
        data = "".join(f"{line}\n" for line in lines).encode()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):  # a pipe cannot be cut
                self._file.truncate(self._size)
            raise self._failed(error, "make room or choose another path") from error
        self._size += len(data)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error, "make room or choose another path") from error

    def _failed(self, error: OSError, advice: str) -> SinkError:
        return SinkError(f"cannot write {self.path!r}: {error.strerror or error}; {advice}")
