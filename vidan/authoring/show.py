"""`vidan plugins show`: a component and its options, from its constructor and its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from ..cli.terminal import console
from ..config.build import CONTEXT_KEYS, hints, keywords
from ..errors import PluginError, did_you_mean
from ..kinds import KINDS
from ..registry.components import Component
from ..registry.discovery import PLUGINS_DIR_HELP, load_plugins, with_folder
from ..support.arguments import ArgumentParser
from .type_text import type_text

_LINE_BREAK = re.compile(r"(?<=\S)\n(?=[^\s*>|-])")
"""Between lines of a paragraph, which are wrapped anew; not before an item of a list."""

FROM_RUN = CONTEXT_KEYS - {"scene", "workers"}
"""Keywords that no configuration sets."""


class Parameter(NamedTuple):
    """A keyword argument of a constructor, as text.

    Attributes:
        name: the key in the configuration.
        type: its type and range; "" if it has no annotation.
        default: as in a YAML file, or `(required)`.
        about: what the docstring of the class says; "" if nothing.
    """

    name: str
    type: str
    default: str
    about: str


def show(arguments: list[str]) -> int:
    """Print a component and its options; the argument is `tracker/deepsort` or `deepsort`."""
    parser = ArgumentParser(
        "vidan plugins show", description="Print the options of a component with their defaults."
    )
    parser.add_argument(
        "component", help="such as tracker/deepsort, or deepsort if no other kind has that name"
    )
    parser.epilog = PLUGINS_DIR_HELP
    component = find(parser.parse_args(with_folder(arguments)).component)
    _print(component, component.load(), console())
    return 0


def find(text: str) -> Component:
    """The component of `<kind>/<name>`, or of a name that only one kind has.

    Raises:
        PluginError: there is none, or there are several.
    """
    kind, slash, name = text.rpartition("/")
    registry = load_plugins().registry
    if slash:
        if kind not in KINDS:
            raise PluginError(f"unknown kind {kind!r}: {did_you_mean(kind, KINDS)}")
        return registry.get(kind, name)
    components = {f"{c.kind}/{c.name}": c for c in registry}
    found = [title for title, c in components.items() if c.name == name]
    if not found:
        near = did_you_mean(name, sorted({c.name for c in registry}))
        raise PluginError(f"unknown component {name!r}: {near}")
    if len(found) > 1:
        raise PluginError(f"{name!r} is ambiguous: use {' or '.join(found)}")
    return components[found[0]]


def parameters(target: Callable[..., Any]) -> Iterator[Parameter]:
    """The keyword arguments of a constructor, without those that only a run can give."""
    import docstring_parser

    about = {
        p.arg_name: " ".join((p.description or "").split())
        for p in docstring_parser.parse(inspect.getdoc(target) or "").params
        if p.args[0] != "attribute"  # which may have the name of an option
    }
    resolved = hints(target)
    for name, parameter in keywords(target).items():
        if name in FROM_RUN:
            continue
        hint = resolved.get(name, parameter.annotation)
        yield Parameter(
            name,
            "" if hint is parameter.empty else type_text(hint),
            "(required)" if parameter.default is parameter.empty else as_yaml(parameter.default),
            about.get(name, ""),
        )


def as_yaml(value: object) -> str:
    """A value as it is written in a configuration file."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print(component: Component, target: Callable[..., Any], out: Console) -> None:
    import docstring_parser

    text = docstring_parser.parse(inspect.getdoc(target) or "")
    out.print(f"{component.kind}/{component.name}", style="bold", end="  ")
    out.print(text.short_description or "")
    package = component.package
    out.print(f"{package.name} {package.version}, {component.target}", style="dim")
    if text.long_description:
        out.print(f"\n{_LINE_BREAK.sub(' ', text.long_description)}")
    table = Table("key", "type", "default", "description", box=None, pad_edge=False)
    for parameter in parameters(target):
        table.add_row(*parameter)
    if table.row_count:
        out.print()
        out.print(table)
    key = KINDS[component.kind].key(component.name)
    out.print(f"\nvidan {component.kind}={component.name} {key}.<key>=<value>")
