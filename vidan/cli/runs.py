"""`vidan runs`: what is in `runs/`, one of the runs, and deleting the oldest."""

from __future__ import annotations

import logging
import re
import shlex
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from ..errors import ConfigError
from ..execution.directory import CONFIG_FOLDER, RUNS
from ..execution.found import (
    CONFIG_FILE,
    OVERRIDES_FILE,
    Contents,
    FoundRun,
    delete,
    files,
    find_runs,
    is_run,
)
from ..execution.summary import SUMMARY_FILE
from ..retention import Item, Limits
from ..support.arguments import ArgumentParser
from ..support.secrets import redacted_settings
from ..support.text import one_line
from .terminal import console, print_summary, setup_logging

log = logging.getLogger(__name__)

BY_CLOCK = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(_\d+)?")
"""Names of directories of runs and sweeps that vidan chose, and therefore may delete."""

MAX_LISTED_FILES = 50
"""Files of a run that are listed; there may be thousands of snapshots."""


def list_runs(arguments: list[str]) -> int:
    """List the runs in a folder, the newest last."""
    parser = ArgumentParser("vidan runs", description="List the runs in a folder.")
    parser.add_argument("folder", type=Path, nargs="?", default=RUNS, help="default: runs")
    folder = parser.parse_args(arguments).folder
    runs = [(one_line(str(run.directory.relative_to(folder))), run) for run in find_runs(folder)]
    out = console()
    longest = max((len(name) for name, _ in runs), default=0)
    listed = Table(box=None, pad_edge=False)
    listed.add_column("run", overflow="fold", width=min(longest, out.width * 3 // 10))
    for title in ("state", "written"):
        listed.add_column(title, no_wrap=True)
    for title in ("frames", "size"):
        listed.add_column(title, no_wrap=True, justify="right")
    listed.add_column("source", overflow="fold")
    for name, run in runs:
        frames = "" if run.frames is None else str(run.frames)
        written = f"{datetime.fromtimestamp(run.contents.modified):%Y-%m-%d}"
        size = decimal(run.contents.size)
        listed.add_row(name, run.state, written, frames, size, one_line(run.source))
    out.print(listed if runs else "no runs")
    return 0


def show(arguments: list[str]) -> int:
    """Print what is known about a run."""
    parser = ArgumentParser(
        "vidan runs show",
        description="Print the state of a run, its configuration, its summary, and its files.",
    )
    parser.add_argument("run", help="directory of the run, or its name in runs/")
    name = parser.parse_args(arguments).run
    directory = next(filter(is_run, (Path(name), RUNS / name)), None)
    if directory is None:
        raise ConfigError(f"{name!r} is not the directory of a run: vidan runs lists them")
    _print(FoundRun(directory), console())
    return 0


def complete(words: list[str], last: str) -> Iterator[str]:
    """Completions of `vidan runs show`: the runs in `runs/`, or folders."""
    from .completion import files as paths

    if not words:
        yield from (str(run.directory.relative_to(RUNS)) for run in find_runs(RUNS))
        yield from paths(last)


def _print(run: FoundRun, out: Console) -> None:
    written = f"{datetime.fromtimestamp(run.contents.modified):%Y-%m-%d %H:%M:%S}"
    size = decimal(run.contents.size)
    out.print(f"{one_line(str(run.directory))}  {run.state}, written {written}, {size}")
    out.print("\n" + _configuration(run.directory / CONFIG_FOLDER))
    if run.summary is not None:
        out.print()
        try:
            print_summary(run.summary, out)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{SUMMARY_FILE} is damaged: {error!r}") from error
        for failure in dict.fromkeys([run.summary["error"] or "", *run.summary["failures"]]):
            if failure:
                out.print(f"error: {one_line(failure)}")
    out.print("\nfiles")
    out.print(_file_table(run.directory))


def _configuration(saved: Path) -> str:
    """The arguments and the configuration of a run, without secrets."""
    try:
        arguments: Any = OmegaConf.to_container(OmegaConf.load(saved / OVERRIDES_FILE))
        config: Any = OmegaConf.to_container(OmegaConf.load(saved / CONFIG_FILE))
        line = shlex.join(["vidan", *map(str, redacted_settings(arguments))])
        return f"{line}\n\n{OmegaConf.to_yaml(redacted_settings(config)).strip()}"
    except FileNotFoundError:
        return "no configuration: runs that Python starts do not save it"
    except Exception as error:  # of the file, the YAML parser or OmegaConf
        return f"the configuration cannot be read: {one_line(str(error))}"


def _file_table(directory: Path) -> Table:
    listed = Table(show_header=False, box=None, pad_edge=False)
    listed.add_column(justify="right", no_wrap=True)
    listed.add_column(overflow="fold")
    found = [
        (path.relative_to(directory), size)
        for path, size, _ in files(directory)
        if CONFIG_FOLDER not in path.parts
    ]
    for path, size in found[:MAX_LISTED_FILES]:
        listed.add_row(decimal(size), one_line(str(path)))
    if more := found[MAX_LISTED_FILES:]:
        listed.add_row(decimal(sum(size for _, size in more)), f"in {len(more)} more files")
    return listed


def clean(arguments: list[str]) -> int:
    """Delete the oldest runs and sweeps in a folder, of those that are named by the clock."""
    parser = ArgumentParser(
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
    items = {item.path: item for item in _deletable(given.folder)}
    surplus = Limits.parse("keep", keep).surplus(items.values(), time.time())
    if not surplus:
        console().print("nothing to delete")
    if given.dry_run:
        for directory in reversed(surplus):
            console().print(f"would delete {directory} ({decimal(items[directory].size)})")
        return 0
    deleted = [_deleted(items[directory]) for directory in reversed(surplus)]
    return 0 if all(deleted) else 1


def _deletable(folder: Path) -> Iterator[Item]:
    """The runs and sweeps that are named by the clock and not under way."""
    states: dict[Path, set[str]] = {}
    for run in find_runs(folder):
        entry = folder / run.directory.relative_to(folder).parts[0]
        states.setdefault(entry, set()).add(run.state)
    for entry, found in states.items():
        if BY_CLOCK.fullmatch(entry.name) and not {"running", "unknown"} & found:
            contents = Contents.of(entry)
            yield Item(contents.modified, entry, contents.size)


def _deleted(item: Item) -> bool:
    """Delete a run and print that; whether no error was logged instead."""
    try:
        delete(item.path)
    except BlockingIOError:
        console().print(f"kept {item.path}: a run is using it")
        return True
    except OSError as error:
        if item.path.exists():  # else another process was faster
            log.error("cannot delete %r: %s", str(item.path), error.strerror)
            return False
    console().print(f"deleted {item.path} ({decimal(item.size)})")
    return True
