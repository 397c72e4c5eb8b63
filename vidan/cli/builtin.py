"""`vidan plugins` and `vidan doctor`."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from rich.table import Table

from ..errors import VidanError
from ..registry.commands import Check
from ..registry.discovery import PLUGINS_DIR_HELP, load_plugins, with_folder
from ..support.arguments import ArgumentParser
from .terminal import console

COLORS = {"ok": "green", "note": "yellow", "problem": "red"}


def plugins(arguments: list[str]) -> int:
    """List every component with its package, and whether it can be loaded."""
    ArgumentParser(
        "vidan plugins",
        description="List every component with its package, and whether it can be loaded.",
        epilog=PLUGINS_DIR_HELP,
    ).parse_args(with_folder(arguments))
    found = load_plugins()
    table = Table("kind", "name", "package", "version", "state", box=None, pad_edge=False)
    for component in found.registry:
        state = component.state()
        table.add_row(
            component.kind,
            component.name,
            *component.package,
            state,
            style=None if state == "ok" else COLORS["note"],
        )
    for name, why in found.failures.items():
        table.add_row("plugin", name, "", "", f"left out: {why}", style=COLORS["problem"])
    console().print(table)
    return 0


def doctor(arguments: list[str]) -> int:
    """Check this machine; the exit code is 1 if something is broken."""
    ArgumentParser(
        "vidan doctor",
        description="Check whether this machine has what vidan needs; exit code 1 if not.",
        epilog=PLUGINS_DIR_HELP,
    ).parse_args(with_folder(arguments))
    return print_checks(_checks())


def print_checks(checks: Iterable[Check]) -> int:
    """Print checks as a table; returns 1 if one is a problem, else 0."""
    table = Table("", "check", "result", box=None, pad_edge=False)
    problems = 0
    for check in checks:
        problems += check.state == "problem"
        table.add_row(check.state, check.name, check.detail, style=COLORS[check.state])
    console().print(table)
    return 1 if problems else 0


def _checks() -> Iterator[Check]:
    yield Check("Python", "ok", f"{platform.python_version()} ({sys.executable})")
    yield Check("system", "ok", platform.platform())
    yield from _packages()
    hooks = load_plugins().manager
    for plugin in hooks.get_plugins():
        others = hooks.get_plugins() - {plugin}
        try:
            found: Iterable[Iterable[Check]] = hooks.subset_hook_caller("vidan_checks", others)()
            for checks in found:
                yield from checks
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            name = hooks.get_name(plugin) or repr(plugin)
            yield Check(f"checks of {name}", "problem", f"{type(error).__name__}: {error}")
    yield from _components()


def _packages() -> Iterator[Check]:
    """Check the versions of required packages; those of extras may be missing."""
    texts = importlib.metadata.requires("vidan") or ()
    requirements = {r.name: r for r in map(Requirement, reversed(texts)) if not _for_developers(r)}
    for name, requirement in sorted(requirements.items()):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            state = "problem" if requirement.marker is None else "note"
            yield Check(name, state, f"not installed ({requirement})")
            continue
        fits = requirement.specifier.contains(version, prereleases=True)
        wanted = "" if fits else f", but vidan requires {requirement.specifier}"
        yield Check(name, "ok" if fits else "problem", version + wanted)


def _for_developers(requirement: Requirement) -> bool:
    marker = str(requirement.marker)
    return requirement.name == "vidan" or '"test"' in marker or '"docs"' in marker


def _components() -> Iterator[Check]:
    """Import every component; `vidan plugins` only checks that its module exists."""
    found = load_plugins()
    for component in found.registry:
        title = f"{component.kind} {component.name}"
        try:
            component.load()
        except VidanError as error:
            yield Check(title, "note" if component.missing() else "problem", str(error))
        else:
            yield Check(title, "ok", component.target)
    for name, why in found.failures.items():
        yield Check(f"plugin {name}", "problem", f"left out: {why}")
