"""`vidan runs`: what is in `runs/`, and deleting the oldest of it."""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf
from rich.filesize import decimal
from rich.table import Table

from ..errors import ConfigError, SinkError
from ..execution.directory import CONFIG_FOLDER, LOCK_FILE, RUNS
from ..execution.summary import SUMMARY_FILE
from ..retention import Item, Limits
from ..support.lock import locked
from ..support.text import one_line
from .terminal import console, setup_logging

log = logging.getLogger(__name__)

BY_CLOCK = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d+)?")
"""Names of run directories that vidan chose, and therefore may delete."""


class Found(NamedTuple):
    """A run.

    Attributes:
        directory: of the run.
        state: `complete`, `interrupted`, `failed`, `running`, or `killed` if it has no summary.
        frames: that went through it; None if unknown.
        size: of its files, bytes.
        modified: when one of them was written last, s since 1970.
    """

    directory: Path
    state: str
    frames: int | None
    size: int
    modified: float


def list_runs(arguments: list[str]) -> int:
    """List the runs in a folder, the newest last."""
    parser = argparse.ArgumentParser("vidan runs", description="List the runs in a folder.")
    parser.add_argument("folder", type=Path, nargs="?", default=RUNS, help="default: runs")
    table = Table("run", "state", "source", "frames", "size", box=None, pad_edge=False)
    for run in find_runs(parser.parse_args(arguments).folder):
        frames = "" if run.frames is None else str(run.frames)
        source = one_line(_source(run.directory))
        table.add_row(one_line(run.directory.name), run.state, source, frames, decimal(run.size))
    console().print(table if table.row_count else "no runs")
    return 0


def clean(arguments: list[str]) -> int:
    """Delete the oldest runs in a folder, of those that are named by the clock."""
    parser = argparse.ArgumentParser(
        "vidan runs clean",
        description="Delete the oldest runs of a folder with everything in their directories. Only "
        "directories named by vidan (<date>_<time>) are deleted, and none of a run that is under "
        "way.",
    )
    parser.add_argument("folder", type=Path, nargs="?", default=RUNS, help="default: runs")
    parser.add_argument(
        "--keep", required=True, help="total size (20GB), age (30d) or number of runs to keep"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")
    given = parser.parse_args(arguments)
    setup_logging()
    keep = int(given.keep) if given.keep.isdecimal() else given.keep
    limits = Limits.parse("keep", keep)
    runs = {
        run.directory: run
        for run in find_runs(given.folder)
        if run.state != "running" and BY_CLOCK.fullmatch(run.directory.name)
    }
    items = [Item(run.modified, run.directory, run.size) for run in runs.values()]
    for directory in reversed(limits.surplus(items, time.time())):
        if not given.dry_run and _state(directory)[0] != "running":
            _delete(directory)
        word = "would delete" if given.dry_run else "deleted"
        console().print(f"{word} {directory} ({decimal(runs[directory].size)})")
    return 0


def find_runs(folder: Path) -> list[Found]:
    """The runs in a folder, in the order of their names.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        entries = sorted(folder.iterdir()) if folder != RUNS or folder.exists() else []
    except OSError as error:
        raise ConfigError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    runs = (path for path in entries if (path / CONFIG_FOLDER / LOCK_FILE).exists())
    return [_found(path) for path in runs if not path.is_symlink()]


def _found(directory: Path) -> Found:
    state, frames = _state(directory)
    files = list(_files(directory))
    newest = max((modified for _, modified in files), default=0.0)
    return Found(directory, state, frames, sum(size for size, _ in files), newest)


def _files(directory: Path) -> Iterator[tuple[int, float]]:
    """Size, bytes, and time of the last change of each file in a directory."""
    for path in directory.rglob("*"):
        with contextlib.suppress(OSError):  # it may be deleted at any time
            if not path.is_symlink() and path.is_file():
                found = path.stat()
                yield found.st_size, found.st_mtime


def _state(directory: Path) -> tuple[str, int | None]:
    try:
        with locked(directory / CONFIG_FOLDER / LOCK_FILE):
            pass
    except BlockingIOError:
        return "running", None
    except OSError:  # of somebody else
        pass
    try:
        summary = json.loads((directory / SUMMARY_FILE).read_text(encoding="utf-8"))
        state = "failed" if summary["error"] is not None else "complete"
        return "interrupted" if summary["interrupted"] else state, int(summary["frames"])
    except (OSError, ValueError, TypeError, KeyError):
        return "killed", None


def _source(directory: Path) -> str:
    """The source of a run, and the last part of its path; "" if that cannot be read."""
    try:
        config: Any = OmegaConf.load(directory / CONFIG_FOLDER / "config.yaml")
        if config.get("streams") is not None:
            return "streams"
        path = str(config.source.get("path") or "")
        is_local = path and "://" not in path  # a URL may have a password in any part
        return Path(path).name if is_local else str(config.source.name)
    except Exception:  # of the file, the YAML parser or OmegaConf
        return ""


def _delete(directory: Path) -> None:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        raise SinkError(f"cannot delete {str(directory)!r}: {error.strerror}") from error
