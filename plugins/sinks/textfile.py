"""A text file that is written line by line, whole lines only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from vidan.errors import SinkError


class TextFile:
    """Lines of text, each flushed whole, so that what was written stays readable.

    Args:
        path: of the file; its folder is made if it is not there, and a file is replaced.

    Raises:
        SinkError: it cannot be opened or, later, written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = open(path, "w", encoding="utf-8", newline="\n")  # noqa: PTH123, SIM115
        except OSError as error:
            raise self._failed(error, "choose another path") from error

    def write(self, lines: Iterable[str]) -> None:
        """Append lines, given without their ends."""
        text = "".join(f"{line}\n" for line in lines)
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise self._failed(error, "make room or choose another path") from error

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        try:
            self._file.close()
        except OSError as error:  # what a failed write left in the buffer
            raise self._failed(error, "make room or choose another path") from error

    def _failed(self, error: OSError, advice: str) -> SinkError:
        return SinkError(f"cannot write {self._path!r}: {error.strerror or error}; {advice}")
