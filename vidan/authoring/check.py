"""`vidan plugins check`: whether a plugin is what vidan expects, before its users find out."""

from __future__ import annotations

import argparse
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

TIMEOUT = 120
"""How long importing a plugin may take, s."""


class Subject(NamedTuple):
    """What is looked at: entry points by name, and the folders to import them from."""

    package: str
    version: str
    entry_points: dict[str, str]
    folders: tuple[Path, ...] = ()


def check(arguments: list[str]) -> int:
    """Look at a plugin; 1 if something is wrong with it."""
    parser = argparse.ArgumentParser(
        "vidan plugins check",
        description="Look at a plugin as vidan will: entry points, hooks, names, configuration, "
        "and what importing it costs. Exit code 1 if something is wrong.",
    )
    parser.add_argument("plugin", help="an installed package, a project's folder, or a .py file")
    return print_checks(checks(subject(parser.parse_args(arguments).plugin)))


def subject(text: str) -> Subject:
    """What an argument means: a .py file, a folder with pyproject.toml, an installed package.

    Raises:
        PluginError: it is none of them.
    """
    path = Path(text)
    if path.suffix == ".py" and path.is_file():
        return Subject(path.stem, "0", {path.stem: str(path.resolve())})
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
    return Subject(found.metadata["Name"], found.version, points)


def _project(folder: Path) -> Subject:
    """What a project's pyproject.toml says of its entry points."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(text).get("project", {})
    except (OSError, ValueError) as error:
        raise PluginError(f"cannot read {str(folder / 'pyproject.toml')!r}: {error}") from error
    points = project.get("entry-points", {}).get(GROUP, {})
    folders = tuple(f.resolve() for f in (folder / "src", folder) if f.is_dir())
    return Subject(project.get("name", folder.name), project.get("version", "0"), points, folders)


def checks(plugin: Subject) -> Iterator[Check]:
    """What can be said of a plugin, problems among it."""
    if not plugin.entry_points:
        yield Check(
            plugin.package,
            "problem",
            f"no entry point: pyproject.toml needs [project.entry-points.{GROUP}]",
        )
    for name, value in plugin.entry_points.items():
        yield Check(f"entry point {name}", "ok", value)
        yield from _probe(plugin, name, value)


def _probe(plugin: Subject, name: str, value: str) -> Iterator[Check]:
    """Load one entry point in a process of its own: only there it shows what it imports."""
    path = os.pathsep.join([*map(str, plugin.folders), os.environ.get("PYTHONPATH", "")])
    try:
        ran = subprocess.run(  # noqa: S603 - this interpreter, and a module of ours
            [sys.executable, "-m", "vidan.authoring.probe", plugin.package, name, value],
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield Check(f"import of {name}", "problem", f"took longer than {TIMEOUT} s")
        return
    try:
        found: list[dict[str, Any]] = json.loads(ran.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        last = (ran.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        yield Check(f"import of {name}", "problem", f"the interpreter ended: {last}")
        return
    yield from (Check(**each) for each in found)
