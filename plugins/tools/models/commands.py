"""`vidan models list`, `pull` and `inspect`: arguments and output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from vidan import options
from vidan.cli.terminal import console, setup_logging
from vidan.errors import ConfigError, ModelError, PluginError
from vidan.support.arguments import ArgumentParser
from vidan.support.secrets import redacted

from ...models.catalog import (
    cache_folder,
    catalog,
    file_paths,
    find_entry,
    is_downloaded,
    user_file,
)
from ...models.fetch import fetch

DEFAULT_RUNS = 20
"""Number of runs to measure the speed of a model."""

MAX_RUNS = 10_000


def list_models(arguments: list[str]) -> int:
    """Print the models in the catalog."""
    ArgumentParser(
        "vidan models list",
        description="List the public models that detector.model=<name> downloads on first use. "
        f"Add your own in {user_file()}.",
    ).parse_args(arguments)
    table = Table("name", "MB", "license", "downloaded", "about", box=None, pad_edge=False)
    for entry in catalog().values():
        size = "?" if entry.size is None else f"{entry.size / 1e6:.1f}"
        downloaded = "yes" if is_downloaded(entry) else "no"
        note = "" if entry.is_verifiable else " (cannot be verified: its checksum is unknown)"
        table.add_row(entry.name, size, entry.license, downloaded, entry.about + note)
    console().print(table)
    return 0


def pull(arguments: list[str]) -> int:
    """Download a model of the catalog and verify it."""
    parser = ArgumentParser(
        "vidan models pull",
        description="Download a public model and verify it, so that detector.model=<name> needs "
        f"no network. Models are stored in {cache_folder()}.",
    )
    parser.add_argument("name", help="a name in `vidan models list`")
    entry = find_entry(parser.parse_args(arguments).name)
    setup_logging()
    path, *_ = file_paths(entry)
    if is_downloaded(entry):
        console().print(f"{entry.name} is already downloaded: {path}")
    else:
        fetch(entry)
        console().print(f"{path}: license {entry.license}")
    if entry.task == "detection":
        console().print(f"vidan source=webcam detector.model={entry.name}")
    return 0


def inspect_model(arguments: list[str]) -> int:
    """Print what a model contains and how it would be used; 1 if it cannot be used."""
    parser = ArgumentParser(
        "vidan models inspect",
        description="Show what a model file contains, how vidan would use it and why, its speed "
        "on this machine, and what is missing; exit code 1 if it cannot be used.",
    )
    parser.add_argument(
        "model", help="an .onnx, .xml or .tflite file, a name, or the folder of a SavedModel"
    )
    parser.add_argument(
        "options",
        nargs="*",
        metavar="key=value",
        help=f"options of the detector, such as labels=names.txt; and runs={DEFAULT_RUNS}",
    )
    parsed = parser.parse_args(arguments)
    given = _options(parsed.options)
    runs = options.whole("runs", given.pop("runs", DEFAULT_RUNS), 1, MAX_RUNS)
    from .inspect import inspect

    out = console()
    try:
        for title, text in inspect(parsed.model, given, runs):
            out.print(f"{title:<11}", end="", style="bold")
            out.print(redacted(text), soft_wrap=True)
    except (ModelError, PluginError) as error:
        out.print(f"{'cannot be used':<15}", end="", style="bold red")
        out.print(redacted(" ".join(str(error).split())), soft_wrap=True)
        return 1
    return 0


def _options(overrides: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs with values parsed as YAML; a prefix `detector.` is optional."""
    from omegaconf import OmegaConf

    for override in overrides:
        if "=" not in override:
            raise ConfigError(f"vidan models inspect: {override!r}: expected key=value")
    try:
        found = OmegaConf.from_dotlist([o.removeprefix("detector.") for o in overrides])
        given = OmegaConf.to_container(found, resolve=True)
    except Exception as error:  # errors of YAML and OmegaConf have no common base class
        raise ConfigError(f"vidan models inspect: {' '.join(str(error).split())}") from error
    return {str(key): value for key, value in given.items()} if isinstance(given, dict) else {}
