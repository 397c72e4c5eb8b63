"""Numbered and dated output files: their names, and how many are kept."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from vidan import options
from vidan.errors import ConfigError, did_you_mean
from vidan.events import Event
from vidan.journal import RunJournal
from vidan.retention import Item, Keep, Limits

log = logging.getLogger(__name__)

FIELDS: Mapping[str, str] = {
    "time": r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d",
    "kind": r"[\w-]+",
    "rule": r"[\w-]+",
    "label": r"[\w-]+",
    "id": r"(?:\d+|_)",
}
"""Fields that a pattern may contain in braces, with regular expressions of their values."""


class Names:
    """File names that follow a pattern such as `video-{time}.mp4`.

    Only the last part of a path is a pattern. `{time}` is local time to the second; a pattern
    without it gets it in front of the suffix. If a file of that name exists, `-2`, `-3`, … is
    appended.

    Args:
        key: name of the option, for errors.
        path: folder and pattern.
        fields: keys of FIELDS that the pattern may contain.
        sidecar: suffix of a file beside each one, which is deleted with it; None for none.

    Raises:
        ConfigError: the pattern contains another field.
    """

    def __init__(self, key: str, path: str, *fields: str, sidecar: str | None = None) -> None:
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
        # `.part` is left behind by a process that was killed while it finished a file.
        self._own_name = re.compile(rf"{stem}(-\d+)?{re.escape(self._suffix)}(\.part)?")
        self._sidecar = sidecar
        self._job: RunJournal | None = None

    def __str__(self) -> str:
        return str(self.folder / f"{self._stem}{self._suffix}")

    def resume_from(self, job: RunJournal) -> None:
        """Delete the files of the interrupted run, and record new ones in its journal."""
        self._job = job
        made = {str(path) for path in job.files}
        for path in self.files():
            if str(path.resolve()).removesuffix(".part") in made:
                self.delete(path)

    def new(self, when: float, **values: str) -> Path:
        """A name that no existing file has.

        Args:
            when: Unix time, s.
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

    def of(self, event: Event, at: float, now: float) -> Path:
        """A new name for what belongs to an event.

        Args:
            event: provides the fields; those that it has no value for are `_`.
            at: stream time of the file, s.
            now: stream time of the latest frame, s.
        """
        return self.new(
            time.time() - (now - at) if self._job is None else self._job.began + at,
            kind=event.kind,
            rule=event.rule,
            label=event.label or "",
            id="" if event.track is None else str(event.track),
        )

    def delete(self, path: Path) -> None:
        """Delete a file of this name, and its sidecar."""
        _delete(path)
        if self._sidecar is not None:
            _delete(path.with_suffix(self._sidecar))

    def files(self) -> list[Path]:
        """Existing regular files whose names match the pattern, unsorted; no symbolic links."""
        entries = self.folder.iterdir() if self.folder.is_dir() else ()
        return [
            path
            for path in entries
            if self._own_name.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        ]


class Retention:
    """Which of a sink's files are kept: the newest ones, and at least one.

    The size of the newest file counts twice: the next one may be as large.

    Args:
        key: name of the option, for errors.
        value: see `Limits.parse`.

    Raises:
        ConfigError: the value is no limit.
    """

    def __init__(self, key: str, value: Keep) -> None:
        self._limits = Limits.parse(key, value)

    def prune(self, names: Names, unfinished: Collection[Path] = ()) -> None:
        """Delete the oldest files with these names until the rest is within the limits.

        Args:
            names: of the files; no other file is deleted.
            unfinished: files that are neither counted nor deleted.
        """
        if self._limits.keeps_all:
            return  # without listing a folder that may hold thousands of files
        finished = set(names.files()) - set(unfinished)
        items = [item for path in finished if (item := item_of(path))]
        reserve = max(items).size if items else 0
        for path in self._limits.surplus(items, time.time(), reserve):
            names.delete(path)


def item_of(path: Path) -> Item | None:
    """A file, as retention takes it into account; None if it is gone."""
    try:
        found = path.stat()
    except OSError:  # deleted by another process meanwhile
        return None
    return Item(found.st_mtime, path, found.st_size)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        log.debug("deleted %s", path)
    except OSError as error:
        log.warning("cannot delete %s: %s", path, error.strerror)
