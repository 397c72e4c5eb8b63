"""What a file job that was interrupted must know to make the same files again.

Kept in FILE in the run directory until the job is done: a line with the time at which it began,
and one for each file whose name goes by the clock.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import SinkError

FILE = "job.jsonl"
"""Its name in the run directory."""


class RunJournal:
    """A file job, which may be interrupted and done again from its beginning.

    Args:
        directory: of the run.
        resumed: whether it was interrupted and is done again; else it is a new one.

    Attributes:
        began: when it first began, s since 1970.
        files: what it made before it was interrupted, as far as that was noted.

    Raises:
        SinkError: FILE cannot be written; also from `note`.
    """

    def __init__(self, directory: Path, *, resumed: bool) -> None:
        self._directory = directory.resolve()
        self._path = directory / FILE
        self.began = time.time()
        self.files: set[Path] = set()
        if resumed:
            self._recall()
        else:
            self._write("w", {"began": self.began})

    def note(self, path: Path) -> None:
        """Note a file, before it is made: what is done again replaces it."""
        self._write("a", {"file": os.path.relpath(path.resolve(), self._directory)})

    def _recall(self) -> None:
        for entry in self._entries():
            if isinstance(entry.get("began"), float):
                self.began = entry["began"]
            elif isinstance(entry.get("file"), str):
                # From the directory, which may have been moved since, and all in it.
                self.files.add(Path(os.path.normpath(self._directory / entry["file"])))
        self._write("a", {"began": self.began})

    def _entries(self) -> Iterator[dict[str, Any]]:
        """What can be read: a power cut may leave a line cut off, and another behind it."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return
        for line in lines:
            with suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict):
                    yield entry

    def _write(self, mode: str, entry: dict[str, Any]) -> None:
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write("\n" * (mode == "a") + json.dumps(entry))
        except OSError as error:
            why = error.strerror or error
            raise SinkError(f"cannot write {str(self._path)!r}: {why}; make room") from error
