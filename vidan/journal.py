"""The journal of a run over a file, so that an interrupted run can be repeated exactly.

The file FILE in the run directory exists until the run is complete. It has a line with the id of
the run, the time at which it started and what identifies the files it reads, and one line for each
output file that is named after the clock.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .errors import SinkError

FILE = "job.jsonl"
"""Name of the file in the run directory."""


class RunStart(NamedTuple):
    """What tells a run from all others, and is the same when it is resumed.

    Attributes:
        id: unique.
        began: when the run first started, s since 1970.
    """

    id: str
    began: float

    @classmethod
    def new(cls) -> RunStart:
        """Of a run that starts now."""
        return cls(uuid.uuid4().hex, time.time())

    @classmethod
    def read(cls, directory: Path) -> RunStart | None:
        """Of the interrupted run in a directory; None if its journal does not tell."""
        for entry in _entries(directory / FILE):
            if isinstance(entry.get("run"), str) and isinstance(entry.get("began"), float):
                return cls(entry["run"], entry["began"])
        return None


class RunJournal:
    """The start time of a run, and the output files that it has created.

    Args:
        directory: of the run.
        resumed: whether to continue the journal of an interrupted run; else a new one starts.
        inputs: what identifies the files that the run reads, ready for JSON.
        start: of the run; None for one that starts now.

    Attributes:
        began: when the run first started, s since 1970.
        inputs: those of the first attempt.
        files: output files that interrupted attempts created, as far as they are recorded.

    Raises:
        SinkError: the file cannot be written; also from `note`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        resumed: bool,
        inputs: Mapping[str, Any] | None = None,
        start: RunStart | None = None,
    ) -> None:
        self._directory = directory.resolve()
        self._path = directory / FILE
        run, self.began = start or RunStart.new()
        self.files: set[Path] = set()
        self.inputs = dict(inputs or {})
        if resumed:
            self._read()
        else:
            self._write("w", {"run": run, "began": self.began, "inputs": self.inputs})

    def note(self, path: Path) -> None:
        """Record an output file before it is created: a resumed run replaces it."""
        self._write("a", {"file": os.path.relpath(path.resolve(), self._directory)})

    def _read(self) -> None:
        for entry in _entries(self._path):
            if isinstance(entry.get("began"), float):
                self.began = entry["began"]
                if isinstance(entry.get("inputs"), dict):
                    self.inputs = entry["inputs"]
            elif isinstance(entry.get("file"), str):
                # Relative to the directory, which may have been moved with all its files.
                self.files.add(Path(os.path.normpath(self._directory / entry["file"])))
        self._write("a", {"began": self.began})

    def _write(self, mode: str, entry: dict[str, Any]) -> None:
        try:
            with self._path.open(mode, encoding="utf-8") as file:
                file.write("\n" * (mode == "a") + json.dumps(entry))
        except OSError as error:
            why = error.strerror or error
            raise SinkError(f"cannot write {str(self._path)!r}: {why}; free some space") from error


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """The readable entries: after a power failure, a line may be incomplete."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        with suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
