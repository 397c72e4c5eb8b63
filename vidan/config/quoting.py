"""Quotes for values that Hydra's grammar cannot read, such as file names with parentheses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

NUMBER = re.compile(r"[+-]?[\d._]+(e[+-]?\d+)?", re.IGNORECASE)
"""Values that Hydra reads as numbers."""

STRUCTURE = "[{('\""
"""First characters of values that may be a list, a mapping, or quoted already."""


SHELL_SPECIAL = frozenset('"$`\\!')
"""Characters with a meaning between double quotes in a shell."""


def is_readable(override: str) -> bool:
    """Whether an override follows Hydra's grammar."""
    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def quoted(overrides: Iterable[str]) -> list[str]:
    """The overrides, with quotes around values that can be nothing but text.

    >>> quoted(["source.path=video (1).mp4", "sink=[video,jsonl]"])
    ["source.path='video (1).mp4'", 'sink=[video,jsonl]']
    >>> quoted(["source.path=7", "max_frames=7"])
    ["source.path='7'", 'max_frames=7']
    """
    found = []
    for override in overrides:
        key, equals, value = override.partition("=")
        plain = not equals or value.startswith(tuple(STRUCTURE)) or is_readable(override)
        if key.endswith(".path") and NUMBER.fullmatch(value):  # a folder whose name is a number
            plain = False
        in_quotes = override if plain else in_hydra_quotes(override)
        found.append(in_quotes if is_readable(in_quotes) else override)
    return found


def in_hydra_quotes(override: str) -> str:
    """An override whose value is text, whatever it holds; see the grammar of Hydra's overrides."""
    key, _, value = override.partition("=")
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"{key}='{escaped}'"


def advice(override: str) -> str:
    """What to type in a shell so that the value of an override is text."""
    text = in_hydra_quotes(override)
    return (
        f"quote it: {shlex.quote(text) if set(text) & SHELL_SPECIAL else chr(34) + text + chr(34)}"
    )


def written(value: Any, text: Callable[[str], str] = str) -> str:
    """A value as it is written in an override.

    Args:
        value: of YAML, or a path.
        text: how texts are written; as they are by default, so that they may be numbers or lists.

    >>> written(["a", 5, None, True, {"b": 0.5}])
    '[a,5,null,true,{b:0.5}]'
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(written(each, text) for each in value)}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{written(each, text)}' for key, each in value.items())}}}"
    return text(value) if isinstance(value, str) else str(value)
