"""Files of a sink that writes several: what they are called, and how many are kept."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from vidan import options
from vidan.errors import ConfigError, did_you_mean
from vidan.journal import RunJournal

log = logging.getLogger(__name__)

FIELDS: Mapping[str, str] = {
    "time": r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d",
    "label": r"[\w-]+",
    "id": r"\d+",
}
"""What may stand in braces in a name, and the regular expression of what it becomes."""


class Names:
    """The names that a pattern such as `video-{time}.mp4` stands for.

    Only the last part of a path is a pattern. `{time}` is local time to the second; where it
    is not said it is put in front of the suffix. A name that exists gets `-2`, `-3`, … there.

    Args:
        key: the option, for errors.
        path: folder and pattern.
        fields: that may be used, of FIELDS.

    Raises:
        ConfigError: the pattern has another field.
    """

    def __init__(self, key: str, path: str, *fields: str) -> None:
        whole = Path(options.text(key, path))
        name = whole.name
        if "{time}" not in name:
            name = f"{whole.stem}-{{time}}{whole.suffix}"
        for field in re.findall(r"\{(.*?)\}", name):
            if field not in fields:
                raise ConfigError(f"{key}={path!r}: {{{field}}}: {did_you_mean(field, fields)}")
        self.folder = whole.parent
        self._stem, self._suffix = Path(name).stem, whole.suffix
        parts = re.split(r"\{(.*?)\}", self._stem)  # text, field, text, field, …, text
        stem = "".join(FIELDS[p] if n % 2 else re.escape(p) for n, p in enumerate(parts))
        # With `.part`: what a process left that was killed while it finished a file.
        self._ours = re.compile(rf"{stem}(-\d+)?{re.escape(self._suffix)}(\.part)?")
        self._job: RunJournal | None = None

    def __str__(self) -> str:
        return str(self.folder / f"{self._stem}{self._suffix}")

    def resume_from(self, job: RunJournal) -> None:
        """Delete those of the job's files that have such a name; from now on note new ones."""
        self._job = job
        made = {str(path) for path in job.files}
        for path in self.files():
            if str(path.resolve()).removesuffix(".part") in made:
                _delete(path)

    def new(self, when: float, **values: str) -> Path:
        """A name that no file has yet.

        Args:
            when: seconds since 1970, UTC.
            values: of the fields other than time.
        """
        values["time"] = f"{datetime.fromtimestamp(when):%Y-%m-%d_%H-%M-%S}"
        for field, value in values.items():
            values[field] = re.sub(r"[^\w-]+", "_", value) or "_"
        stem = re.sub(r"\{(.*?)\}", lambda match: values[match[1]], self._stem)
        path, number = self.folder / f"{stem}{self._suffix}", 1
        while path.exists():
            number += 1
            path = self.folder / f"{stem}-{number}{self._suffix}"
        if self._job is not None:
            self._job.note(path)
        return path

    def files(self) -> list[Path]:
        """The files that have such a name, in no order; no links."""
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        return [
            path
            for path in there
            if self._ours.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        ]


class _Written(NamedTuple):
    """A file: when it was last written to, and its size in bytes."""

    at: float
    path: Path
    size: int


class Retention:
    """How many of a sink's files are kept: the newest one always.

    Args:
        key: the option, for errors.
        value: `50GB`: as many as fit, room for the next one included; `7d`: as old at most;
            a whole number: as many; None: all.

    Raises:
        ConfigError: the value is none of these.
    """

    def __init__(self, key: str, value: str | int | None) -> None:
        self._bytes = self._seconds = self._number = float("inf")
        if isinstance(value, str):
            total = options.measure(key, value, {**options.BYTES, **options.SECONDS})
            if value[-1] == "B":
                self._bytes = total
            else:
                self._seconds = total
        elif value is not None:
            self._number = options.whole(key, value, 1)
        self._all = value is None

    def prune(self, names: Names, unfinished: Collection[Path] = ()) -> None:
        """Delete the oldest files of these names, and no others, until the rest may be kept.

        Args:
            names: of the files.
            unfinished: files that neither count nor go.
        """
        if self._all:
            return  # without a look into a folder that may hold thousands
        finished = set(names.files()) - set(unfinished)
        written = sorted((w for path in finished if (w := _look(path))), reverse=True)
        total, oldest = 0, time.time() - self._seconds
        for number, (at, path, size) in enumerate(written):
            total += size if number else 2 * size  # the next one may be as large as the newest
            if number and (total > self._bytes or at < oldest or number >= self._number):
                _delete(path)


def _look(path: Path) -> _Written | None:
    try:
        found = path.stat()
    except OSError:  # somebody else was faster
        return None
    return _Written(found.st_mtime, path, found.st_size)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        log.debug("deleted %s", path)
    except OSError as error:
        log.warning("cannot delete %s: %s", path, error.strerror)
