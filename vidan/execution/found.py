"""The runs in a folder: what became of each, and deleting them."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf

from ..errors import ConfigError
from ..support.lock import locked
from .directory import CONFIG_FOLDER, LOCK_FILE, RUNS
from .summary import is_complete, read_summary

CONFIG_FILE = "config.yaml"
OVERRIDES_FILE = "overrides.yaml"


class Contents(NamedTuple):
    """The files in a directory.

    Attributes:
        size: of all, bytes.
        modified: when one of them was written last, s since 1970; 0 without any.
    """

    size: int
    modified: float

    @classmethod
    def of(cls, directory: Path) -> Contents:
        """Of the files in a directory and in those below it."""
        found = [(size, modified) for _, size, modified in files(directory)]
        return cls(sum(size for size, _ in found), max((time for _, time in found), default=0.0))


class FoundRun:
    """A run, from the files in its directory.

    Attributes:
        directory: of the run.
        summary: its content; None if it has none.
        state: `complete`, `interrupted`, `failed`, `running`, `killed` if it has no summary, or
            `unknown` if its lock cannot be opened, so that it may be running.
        contents: size and time of its files.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.contents = Contents.of(directory)
        self.summary = read_summary(directory)
        self.state = self._state()

    @property
    def frames(self) -> int | None:
        """Frames that went through it; None if unknown."""
        return None if self.summary is None else self.summary["frames"]

    @property
    def source(self) -> str:
        """The name of the source, or the last part of its path; "" if that cannot be read."""
        try:
            config: Any = OmegaConf.load(self.directory / CONFIG_FOLDER / CONFIG_FILE)
            if config.get("streams") is not None:
                return "streams"
            path = str(config.source.get("path") or "")
            is_local = path and "://" not in path  # a URL may have a password in any part
            return Path(path).name if is_local else str(config.source.name)
        except Exception:  # of the file, the YAML parser or OmegaConf
            return ""

    def _state(self) -> str:
        try:
            with locked(self.directory / CONFIG_FOLDER / LOCK_FILE):
                pass
        except BlockingIOError:
            return "running"
        except OSError:
            return "unknown"
        if self.summary is None:
            return "killed"
        if is_complete(self.summary):
            return "complete"
        return "interrupted" if self.summary["interrupted"] else "failed"


def is_run(directory: Path) -> bool:
    """Whether a directory is that of a run."""
    return not directory.is_symlink() and (directory / CONFIG_FOLDER / LOCK_FILE).exists()


def find_runs(folder: Path) -> list[FoundRun]:
    """The runs in a folder, and those of sweeps in it, in the order of their names.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        entries = _children(folder) if folder != RUNS or folder.exists() else []
    except OSError as error:
        raise ConfigError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    return [FoundRun(run) for entry in entries for run in _runs(entry)]


def delete(directory: Path) -> None:
    """Delete a directory with the runs in it, in which no other run can start meanwhile.

    Raises:
        BlockingIOError: one of the runs is under way.
        OSError: something cannot be deleted.
    """
    with ExitStack() as held:
        for run in _runs(directory):
            held.enter_context(locked(run / CONFIG_FOLDER / LOCK_FILE))
        if sys.platform == "win32":  # where open files cannot be deleted
            _empty(directory)
            held.close()
        shutil.rmtree(directory)


def files(directory: Path) -> Iterator[tuple[Path, int, float]]:
    """Path, size in bytes, and time of the last change of each file, in the order of paths."""
    for path in sorted(directory.rglob("*")):
        with contextlib.suppress(OSError):  # it may be deleted at any time
            if not path.is_symlink() and path.is_file():
                found = path.stat()
                yield path, found.st_size, found.st_mtime


def _runs(entry: Path) -> Iterator[Path]:
    """The runs among an entry of a folder and its children, such as those of a sweep."""
    if entry.is_symlink():
        return
    with contextlib.suppress(OSError):  # not a folder, or of somebody else
        yield from filter(is_run, [entry, *_children(entry)])


def _children(folder: Path) -> list[Path]:
    """In the order of their names, in which 10 follows 9."""

    def place(path: Path) -> tuple[int, Path]:
        return len(path.name) if path.name.isdecimal() else 0, path

    return sorted(folder.iterdir(), key=place)


def _empty(directory: Path) -> None:
    """Delete all files in a directory but locks."""
    for path, _, _ in files(directory):
        if path.name != LOCK_FILE:
            path.unlink()
