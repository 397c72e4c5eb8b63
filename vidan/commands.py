"""The commands that come with the core: `vidan plugins` and `vidan doctor`."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from rich.table import Table

from .errors import VidanError
from .plugins import Check, load_plugins
from .progress import console

COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


def plugins(arguments: list[str]) -> int:
    """List every component with its kind, name, package, version and state."""
    argparse.ArgumentParser(
        "vidan plugins",
        description="List every component: its package, and whether it can be loaded here.",
    ).parse_args(arguments)
    found = load_plugins()
    table = Table("kind", "name", "package", "version", "state", box=None, pad_edge=False)
    for component in found.registry:
        state = component.state()
        table.add_row(
            component.kind,
            component.name,
            *component.package,
            state,
            style=None if state == "ok" else COLOURS["note"],
        )
    for name, why in found.failures.items():
        table.add_row("plugin", name, "", "", f"left out: {why}", style=COLOURS["problem"])
    console().print(table)
    return 0


def doctor(arguments: list[str]) -> int:
    """Look at this machine and print what was found; 1 if something is a problem."""
    argparse.ArgumentParser(
        "vidan doctor",
        description="Look at this machine for what vidan needs; exit code 1 if a part is broken.",
    ).parse_args(arguments)
    table = Table("", "what", "found", box=None, pad_edge=False)
    problems = 0
    for check in _checks():
        problems += check.state == "problem"
        table.add_row(check.state, check.name, check.detail, style=COLOURS[check.state])
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
        except Exception as error:
            name = hooks.get_name(plugin) or repr(plugin)
            yield Check(f"checks of {name}", "problem", f"{type(error).__name__}: {error}")
    yield from _components()


def _packages() -> Iterator[Check]:
    """Versions of what vidan requires; those of extras that are not there are a note."""
    for text in importlib.metadata.requires("vidan") or ():
        requirement = Requirement(text)
        extra = requirement.marker is not None
        if requirement.name == "vidan" or "'test'" in text or '"test"' in text:
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            state = "note" if extra else "problem"
            yield Check(requirement.name, state, f"not installed ({text})")
            continue
        fits = requirement.specifier.contains(version, prereleases=True)
        wanted = "" if fits else f", but vidan needs {requirement.specifier}"
        yield Check(requirement.name, "ok" if fits else "problem", version + wanted)


def _components() -> Iterator[Check]:
    """Import every component for real: what `vidan plugins` only looks up."""
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
