"""Models of the catalog on this machine: downloaded when they are first used."""

from __future__ import annotations

import logging
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bar

from vidan.cli.terminal import console
from vidan.errors import ModelError

from .catalog import CatalogEntry, Task, catalog, file_paths, is_downloaded
from .download import MEGABYTE, download

log = logging.getLogger(__name__)


def find(
    name: str, task: Task = "detection", *, offline: bool = False
) -> tuple[CatalogEntry, Path] | None:
    """The entry and the file of a model in the catalog, which is downloaded if it is not there.

    Args:
        name: of the model.
        task: what it is to be used for.
        offline: whether downloads are forbidden.

    Returns:
        None if there is no such entry.

    Raises:
        ConfigError: the user's catalog is invalid.
        ModelError: the model is for another task, is not there and may not be downloaded, or
            cannot be downloaded.
    """
    entry = catalog().get(name)
    if entry is None:
        return None
    if entry.task != task:
        raise ModelError(f"model {name!r} is for {entry.task}, not for {task}: {entry.about}")
    if not is_downloaded(entry):
        if offline:
            raise ModelError(
                f"model {name!r} is not downloaded yet, and models.offline=true forbids it: run "
                f"vidan models pull {name}"
            )
        fetch(entry)
    return entry, file_paths(entry)[0]


def fetch(entry: CatalogEntry) -> None:
    """Download the files of an entry that are missing, and show the progress.

    A terminal has a bar, a log two lines; neither asks anything.

    Raises:
        ModelError: a file cannot be downloaded, or differs from what the catalog expects.
    """
    terminal = console(stderr=True)
    size = "" if entry.size is None else f", {entry.size / MEGABYTE:.1f} MB"
    log.info("downloading the model %s%s, license %s", entry.name, size, entry.license)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(
        entry.name, *columns, console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bar:
        task = bar.add_task(entry.name, total=entry.size)
        done = 0
        # The model itself comes last: it is there only if all files are.
        for file, path in reversed(list(zip(entry.files, file_paths(entry), strict=True))):
            if not path.is_file():
                download(
                    file.url,
                    path,
                    file.size,
                    file.checksum,
                    lambda now, total, before=done: bar.update(  # type: ignore[misc]
                        task, completed=before + now, total=entry.size or total
                    ),
                )
            done += path.stat().st_size
    log.info("stored in %s", file_paths(entry)[0].parent)
