"""`vidan plugins show`: what a component is and takes, from its constructor and its docstring."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..cli.terminal import console
from ..errors import PluginError, did_you_mean
from ..kinds import KINDS
from ..registry.components import Component
from ..registry.discovery import load_plugins


class Parameter(NamedTuple):
    """A keyword argument of a constructor, as people read it."""

    name: str
    type: str
    default: str
    about: str


def show(arguments: list[str]) -> int:
    """Print what is known of a component: `tracker/deepsort`, or `deepsort` if that is clear."""
    parser = argparse.ArgumentParser(
        "vidan plugins show", description="Print a component's options with their defaults."
    )
    parser.add_argument("component", help="tracker/deepsort, or deepsort where no other has it")
    component = find(parser.parse_args(arguments).component)
    _print(component, component.load(), console())
    return 0


def find(text: str) -> Component:
    """The component of `<kind>/<name>` or of a name that only one kind has.

    Raises:
        PluginError: there is none, or there are several.
    """
    kind, slash, name = text.rpartition("/")
    registry = load_plugins().registry
    if slash:
        if kind not in KINDS:
            raise PluginError(f"unknown kind {kind!r}: {did_you_mean(kind, KINDS)}")
        return registry.get(kind, name)
    every = {f"{c.kind}/{c.name}": c for c in registry}
    found = [title for title, c in every.items() if c.name == name]
    if not found:
        near = did_you_mean(name, sorted({c.name for c in registry}))
        raise PluginError(f"unknown component {name!r}: {near}")
    if len(found) > 1:
        raise PluginError(f"{name!r} is several components: say {' or '.join(found)}")
    return every[found[0]]


def parameters(target: Callable[..., Any]) -> Iterator[Parameter]:
    """The keyword arguments of a constructor, with what its class's docstring says of each."""
    import docstring_parser

    about = {
        p.arg_name: " ".join((p.description or "").split())
        for p in docstring_parser.parse(inspect.getdoc(target) or "").params
    }
    for name, parameter in inspect.signature(target).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        empty = parameter.empty
        hint, default = parameter.annotation, parameter.default
        yield Parameter(
            name,
            ""
            if hint is empty
            else hint
            if isinstance(hint, str)
            else inspect.formatannotation(hint),
            "(needed)" if default is empty else _as_yaml(default),
            about.get(name, ""),
        )


def _as_yaml(value: object) -> str:
    """A default as it stands in a configuration file."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print(component: Component, target: Callable[..., Any], out: Console) -> None:
    import docstring_parser

    text = docstring_parser.parse(inspect.getdoc(target) or "")
    out.print(f"[bold]{component.kind}/{component.name}[/bold]  {text.short_description or ''}")
    package = component.package
    out.print(f"{package.name} {package.version}, {component.target}", style="dim", highlight=False)
    if text.long_description:
        out.print(f"\n{text.long_description}", highlight=False, markup=False)
    table = Table("key", "type", "default", "about", box=None, pad_edge=False)
    for parameter in parameters(target):
        table.add_row(*map(escape, parameter))  # `list[str]` is no style
    if table.row_count:
        out.print()
        out.print(table)
    where = KINDS[component.kind].key(component.name)
    out.print(f"\nvidan {component.kind}={component.name} {where}.<key>=<value>", highlight=False)
