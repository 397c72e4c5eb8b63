"""`vidan plugins check`: find mistakes in a plugin."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..cli.builtin import print_checks
from ..errors import PluginError
from ..registry.commands import Check
from ..registry.discovery import GROUP
from ..support.arguments import ArgumentParser

IMPORT_TIMEOUT_S = 120
"""Longest time that the import of a plugin may take, s."""


class PluginSource(NamedTuple):
    """A plugin to check: entry points by name, and the folders to import them from."""

    package: str
    version: str
    entry_points: dict[str, str]
    folders: tuple[Path, ...] = ()


def check(arguments: list[str]) -> int:
    """Check a plugin; the exit code is 1 if there is a problem."""
    parser = ArgumentParser(
        "vidan plugins check",
        description="Check a plugin: entry points, hooks, names, configuration, and whether its "
        "import is light. Exit code 1 if there is a problem.",
    )
    parser.add_argument("plugin", help="an installed package, a project's folder, or a .py file")
    return print_checks(checks(locate(parser.parse_args(arguments).plugin)))


def locate(text: str) -> PluginSource:
    """The plugin in a .py file, in a folder with pyproject.toml, or in an installed package.

    Raises:
        PluginError: the text is none of them.
    """
    path = Path(text)
    if path.suffix == ".py" and path.is_file():
        return PluginSource(path.stem, "0", {path.stem: str(path.resolve())})
    if (path / "pyproject.toml").is_file():
        return _project(path)
    try:
        found = importlib.metadata.distribution(text)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        raise PluginError(
            f"no plugin {text!r}: name an installed package, a folder with pyproject.toml, "
            "or a .py file"
        ) from None
    points = {p.name: p.value for p in found.entry_points if p.group == GROUP}
    return PluginSource(found.metadata["Name"], found.version, points)


def _project(folder: Path) -> PluginSource:
    """The plugin of a project, from its pyproject.toml."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text).get("project", {})
    except (OSError, ValueError) as error:
        raise PluginError(f"cannot read {str(folder / 'pyproject.toml')!r}: {error}") from error
    points = project.get("entry-points", {}).get(GROUP, {})
    folders = tuple(f.resolve() for f in (folder / "src", folder) if f.is_dir())
    name, version = project.get("name", folder.name), project.get("version", "0")
    return PluginSource(name, version, points, folders)


def checks(plugin: PluginSource) -> Iterator[Check]:
    """The checks of a plugin."""
    if not plugin.entry_points:
        yield Check(
            plugin.package,
            "problem",
            f"no entry point: pyproject.toml needs [project.entry-points.{GROUP}]",
        )
    for name, value in plugin.entry_points.items():
        yield Check(f"entry point {name}", "ok", value)
        yield from _probe(plugin, name, value)


def _probe(plugin: PluginSource, name: str, value: str) -> Iterator[Check]:
    """Check one entry point in a new process, which shows what it imports."""
    path = os.pathsep.join([*map(str, plugin.folders), os.environ.get("PYTHONPATH", "")])
    try:
        ran = subprocess.run(  # noqa: S603 - runs this interpreter
            [sys.executable, "-m", "vidan.authoring.probe", plugin.package, name, value],
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            capture_output=True,
            text=True,
            timeout=IMPORT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Check(f"import of {name}", "problem", f"took longer than {IMPORT_TIMEOUT_S} s")
        return
    try:
        found: list[dict[str, Any]] = json.loads(ran.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (ran.stderr.strip().splitlines() or ["no output"])[-1]
        yield Check(f"import of {name}", "problem", f"the interpreter exited: {last}")
        return
    yield from (Check(**each) for each in found)
