"""The directory of a run, which no other run uses at the same time."""

from __future__ import annotations

import datetime
import itertools
import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..errors import ConfigError, SinkError
from ..journal import FILE as JOURNAL_FILE
from ..support.lock import locked
from .replay import FILE as REPLAY_FILE
from .summary import SUMMARY_FILE

log = logging.getLogger(__name__)

CONFIG_FOLDER = ".hydra"
"""Folder in the run directory with the configuration."""

LOCK_FILE = "lock"
"""File in CONFIG_FOLDER that is locked during a run."""

LOG_FILE = "vidan.log"
"""The log of a run, in its directory."""

RUNS = Path("runs")
"""Folder of the directories that are named by the clock."""

STATE_FILES = (SUMMARY_FILE, REPLAY_FILE, JOURNAL_FILE)
"""Files that tell whether a run is complete, and how to continue it."""


@contextmanager
def claimed(directory: Path | None, *, new: bool = False, resumed: bool = False) -> Iterator[Path]:
    """Create the directory of a run, and keep other runs out of it within the block.

    If the run does not start, what was created for it is deleted again.

    Args:
        directory: of the run; None for a new one in RUNS, named by the clock.
        new: whether to make one with another name, `<directory>_2`, if it exists.
        resumed: whether it is that of an interrupted run, which continues.

    Raises:
        ConfigError: another run is using it.
        SinkError: it cannot be written.
    """
    if directory is None:
        directory, new = RUNS / f"{datetime.datetime.now():%Y-%m-%d_%H-%M-%S}", True
    with ExitStack() as stack:
        try:
            parent_is_new = not directory.parent.exists()
            directory, is_new = _created(directory, new=new)
            stack.callback(_discard_unused, directory, is_new, parent_is_new)
            stack.enter_context(locked(directory / CONFIG_FOLDER / LOCK_FILE))
        except BlockingIOError as error:
            stack.pop_all()  # nothing of it is ours
            raise ConfigError(
                f"run_dir={str(directory)!r}: another run is using it: wait for its end, or "
                "choose another folder"
            ) from error
        except OSError as error:
            raise SinkError(
                f"cannot write into {str(directory)!r}: {error.strerror}: set run_dir=<folder> to "
                "one that you may write into"
            ) from error
        if not (is_new or resumed):
            _forget_earlier_run(directory)
        yield directory


def _created(directory: Path, *, new: bool) -> tuple[Path, bool]:
    """Create a directory and its CONFIG_FOLDER; its path, and whether that was not there before.

    Two processes cannot both create the same folder, so each gets a new one of its own.
    """
    names = (directory.with_name(f"{directory.name}_{n}") for n in itertools.count(2))
    for path in itertools.chain([directory], names if new else ()):
        path.mkdir(parents=True, exist_ok=True)
        try:
            (path / CONFIG_FOLDER).mkdir()
        except FileExistsError:
            continue
        return path, True
    return directory, False


def _forget_earlier_run(directory: Path) -> None:
    """Delete the files that would describe the new run as the earlier one; say so."""
    found = [path for name in STATE_FILES if (path := directory / name).exists()]
    if found:
        log.warning("%r has the outputs of an earlier run, which are replaced", str(directory))
    for path in found:
        path.unlink()


def _discard_unused(directory: Path, is_new: bool, parent_is_new: bool) -> None:
    """Delete a directory that was created for a run that did not start."""
    if not is_new or (directory / SUMMARY_FILE).exists():
        return
    known = {CONFIG_FOLDER, LOG_FILE}
    with suppress(OSError):
        if all(path.name in known or _is_empty(path) for path in directory.iterdir()):
            shutil.rmtree(directory)
            if parent_is_new:
                directory.parent.rmdir()


def _is_empty(path: Path) -> bool:
    if path.is_dir():
        return all(map(_is_empty, path.iterdir()))
    return path.is_file() and path.stat().st_size == 0
