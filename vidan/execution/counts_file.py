"""The file of saved counts: locked by one run at a time, and always complete."""

from __future__ import annotations

import datetime
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from ..errors import ConfigError, SinkError
from ..support.replace import replaced

log = logging.getLogger(__name__)

VERSION = 1
"""Format of the file."""


class Saved(NamedTuple):
    """The content of the file.

    Attributes:
        stream: name of the stream.
        scene: fingerprint of the scene and the names of the analyzers.
        job: of the run that saved it.
        at: when the last frame in it was analyzed, s since 1970.
        time: stream time of that frame, s.
        last_id: highest id of a track so far; 0 without any.
        states: of the analyzers, by name.
    """

    stream: str
    scene: str
    job: str
    at: float = 0.0
    time: float = 0.0
    last_id: int = 0
    states: Mapping[str, Any] = {}

    def text(self) -> str:
        """The content as JSON.

        Raises:
            ValueError: a state is not ready for JSON.
        """
        return json.dumps({"version": VERSION, **self._asdict()}, indent=1, allow_nan=False) + "\n"

    @classmethod
    def parse(cls, text: str, expected: Saved) -> Saved:
        """The content of a file of the same scene as `expected`.

        Raises:
            ValueError: it is damaged, or from another scene or version.
        """
        try:
            content = json.loads(text)
            version = content.pop("version")
            saved = cls(**content) if version == VERSION else None
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ValueError("are damaged") from error
        if saved is None:
            raise ValueError(f"have format {version!r}, not {VERSION}")
        numbers = (saved.at, saved.time, saved.last_id)
        if not all(isinstance(n, int | float) for n in numbers) or not isinstance(
            saved.states, dict
        ):
            raise ValueError("are damaged")
        if saved.scene != expected.scene:
            raise ValueError("are from another scene, or other analyzers")
        return saved


class CountsFile:
    """A file that only one run uses at a time, and that is replaced as a whole.

    Args:
        path: of the file; its folder is created.

    Raises:
        ConfigError: another run uses it.
        SinkError: the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._failed = False
        self._lock = FileLock(f"{path}.lock", thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ConfigError(
                f"counts.path={str(path)!r}: another run uses it: set counts.path=<another file>"
            ) from error
        except OSError as error:
            raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error

    def read(self) -> str | None:
        """The text of the file; None if there is none.

        Raises:
            SinkError: it cannot be read.
        """
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SinkError(f"cannot read {str(self.path)!r}: {error.strerror}") from error

    def set_aside(self, why: str) -> None:
        """Rename the file to a free name, and say why.

        Raises:
            SinkError: it cannot be renamed.
        """
        kept, number = self.path.with_name(f"{self.path.name}.kept"), 1
        while kept.exists():
            kept, number = kept.with_name(f"{self.path.name}.kept{number}"), number + 1
        try:
            self.path.rename(kept)
        except OSError as error:
            raise SinkError(f"cannot rename {str(self.path)!r}: {error.strerror}") from error
        log.warning("the counts in %s %s: kept as %s; starting at zero", self.path, why, kept)

    def write(self, text: str) -> None:
        """Replace the file at once; a failure is logged, since the next attempt may succeed."""
        try:
            with replaced(self.path) as part, part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if not self._failed:
                log.error("cannot save the counts to %s: %s", self.path, error.strerror)
            self._failed = True
        else:
            self._failed = False

    def close(self) -> None:
        """Let another run have the file; a second call does nothing."""
        self._lock.release()


def moment(seconds: float) -> str:
    """A time in s since 1970 for people, by the clock of this machine."""
    return f"{datetime.datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"
