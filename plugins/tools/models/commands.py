"""`vidan models list`, `pull` and `inspect`: their arguments, and what they print."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as Speed
from rich.table import Table

from vidan import options
from vidan.cli.terminal import console, setup_logging
from vidan.errors import ConfigError, ModelError, PluginError

from ...models.catalog import Entry, cache_folder, catalog, find, path_of, user_file
from ...models.download import download

RUNS = 20


def list_models(arguments: list[str]) -> int:
    """Print the models in the catalog."""
    argparse.ArgumentParser(
        "vidan models list",
        description="List public detectors that `vidan models pull` gets. "
        f"Add your own in {user_file()}.",
    ).parse_args(arguments)
    table = Table("name", "MB", "license", "here", "about", box=None, pad_edge=False)
    for entry in catalog().values():
        size = "?" if entry.size is None else f"{entry.size / 1e6:.1f}"
        here = "yes" if path_of(entry).is_file() else "no"
        checked = "" if entry.sha256 else " (cannot be verified: no SHA-256 is known)"
        table.add_row(entry.name, size, entry.license, here, entry.about + checked)
    console().print(table)
    return 0


def pull(arguments: list[str]) -> int:
    """Download a model of the catalog, verify it and keep it."""
    parser = argparse.ArgumentParser(
        "vidan models pull",
        description="Download a detector, verify it, and keep it for detector.model=<name>. "
        f"They are kept in {cache_folder()}.",
    )
    parser.add_argument("name", help="a name in `vidan models list`")
    entry = find(parser.parse_args(arguments).name)
    setup_logging()
    path = path_of(entry)
    if path.is_file():
        console().print(f"{entry.name} is here already: {path}")
    else:
        _download(entry)
        console().print(f"{path}: license {entry.license}")
    console().print(f"vidan source=webcam detector.model={entry.name}")
    return 0


def _download(entry: Entry) -> None:
    terminal = console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
    with Progress(
        entry.name, *columns, console=terminal, transient=True, disable=not terminal.is_terminal
    ) as bar:
        task = bar.add_task(entry.name, total=entry.size)
        download(
            entry.url,
            path_of(entry),
            entry.size,
            entry.sha256,
            lambda done, total: bar.update(task, completed=done, total=total),
        )


def inspect_model(arguments: list[str]) -> int:
    """Print what is in a model and how it would be used; 1 if it cannot be."""
    parser = argparse.ArgumentParser(
        "vidan models inspect",
        description="Say what is in a detector's file, how vidan would use it and why, how fast "
        "it is here, and what is missing; exit code 1 if it cannot be used.",
    )
    parser.add_argument("model", help="an ONNX file, a name, or the folder of a SavedModel")
    parser.add_argument(
        "options",
        nargs="*",
        metavar="key=value",
        help=f"options of the detector, such as labels=names.txt; and runs={RUNS}",
    )
    parsed = parser.parse_args(arguments)
    given = _options(parsed.options)
    runs = options.whole("runs", given.pop("runs", RUNS), 1, 10_000)
    from .inspect import inspect

    out = console()
    try:
        for title, text in inspect(parsed.model, given, runs):
            out.print(f"{title:<11}", end="", style="bold")
            out.print(text, markup=False, soft_wrap=True)
    except (ModelError, PluginError) as error:
        out.print(f"{'cannot be used':<15}", end="", style="bold red")
        out.print(" ".join(str(error).split()), markup=False, soft_wrap=True)
        return 1
    return 0


def _options(overrides: Sequence[str]) -> dict[str, Any]:
    """`key=value` as YAML understands the values; `detector.` before a key may be left out."""
    from omegaconf import OmegaConf

    for override in overrides:
        if "=" not in override:
            raise ConfigError(f"vidan models inspect: {override!r}: expected key=value")
    try:
        found = OmegaConf.from_dotlist([o.removeprefix("detector.") for o in overrides])
        given = OmegaConf.to_container(found, resolve=True)
    except Exception as error:  # YAML's errors and those of OmegaConf share no class
        raise ConfigError(f"vidan models inspect: {' '.join(str(error).split())}") from error
    return {str(key): value for key, value in given.items()} if isinstance(given, dict) else {}
