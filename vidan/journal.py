"""The journal of a run over a file, so that an interrupted run can be repeated exactly.

The file FILE in the run directory exists until the run is complete. It has a line with the time at
which the run started and what identifies the files it reads, and one line for each output file that
is named after the clock.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import SinkError

FILE = "job.jsonl"
"""Name of the file in the run directory."""


class RunJournal:
    """The start time of a run, and the output files that it has created.

    Args:
        directory: of the run.
        resumed: whether to continue the journal of an interrupted run; else a new one starts.
        inputs: what identifies the files that the run reads, ready for JSON.

    Attributes:
        began: when the run first started, s since 1970.
        inputs: those of the first attempt.
        files: output files that interrupted attempts created, as far as they are recorded.

    Raises:
        SinkError: the file cannot be written; also from `note`.
    """

    def __init__(
        self, directory: Path, *, resumed: bool, inputs: Mapping[str, Any] | None = None
    ) -> None:
        self._directory = directory.resolve()
        self._path = directory / FILE
        self.began = time.time()
        self.files: set[Path] = set()
        self.inputs = dict(inputs or {})
        if resumed:
            self._read()
        else:
            self._write("w", {"began": self.began, "inputs": self.inputs})

    def note(self, path: Path) -> None:
        """Record an output file before it is created: a resumed run replaces it."""
        self._write("a", {"file": os.path.relpath(path.resolve(), self._directory)})

    def _read(self) -> None:
        for entry in self._entries():
            if isinstance(entry.get("began"), float):
                self.began = entry["began"]
                if isinstance(entry.get("inputs"), dict):
                    self.inputs = entry["inputs"]
            elif isinstance(entry.get("file"), str):
                # Relative to the directory, which may have been moved with all its files.
                self.files.add(Path(os.path.normpath(self._directory / entry["file"])))
        self._write("a", {"began": self.began})

    def _entries(self) -> Iterator[dict[str, Any]]:
        """The readable entries: after a power failure, a line may be incomplete."""
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
            raise SinkError(f"cannot write {str(self._path)!r}: {why}; free some space") from error
