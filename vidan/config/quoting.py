"""Quotes for values that Hydra's grammar cannot read, such as file names with parentheses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from ..options import exists, expanded

VALUE = re.compile(r"[+-]?([\d._]+(e[+-]?\d+)?|inf|nan)|true|false", re.IGNORECASE)
"""Values that Hydra reads as numbers, or as true or false."""

PATH = re.compile(r"\+*(.*\.)?(data|from|model|out|path|run_dir|streams|to|tracks)")
"""Keys whose values are names of files and folders, if they are no lists."""

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
    >>> quoted(["source.path=7", "run_dir=true", "max_frames=7", "quiet=true"])
    ["source.path='7'", "run_dir='true'", 'max_frames=7', 'quiet=true']
    """
    return [_quoted(override) for override in overrides]


def _quoted(override: str) -> str:
    key, equals, value = override.partition("=")
    if not equals:
        return override
    if PATH.fullmatch(key):
        if _names_file(key, value):
            return literal(override)
        if VALUE.fullmatch(value):  # a file that does not exist, or is to be written
            return in_hydra_quotes(override)
    if value.startswith(tuple(STRUCTURE)) or is_readable(override):
        return override
    in_quotes = in_hydra_quotes(override)
    return in_quotes if is_readable(in_quotes) else override


def _names_file(key: str, value: str) -> bool:
    """Whether a path is that of a file as it is written; null is one of a source only."""
    if not value.strip() or (value.lower() == "null" and key != "source.path"):
        return False
    return exists(expanded(value))


def in_hydra_quotes(override: str) -> str:
    """An override whose value is text, whatever it holds; see the grammar of Hydra's overrides."""
    key, _, value = override.partition("=")
    escaped = re.sub(r"(\\*)('|$)", lambda found: 2 * found[1] + ("\\'" if found[2] else ""), value)
    return f"{key}='{escaped}'"


def literal(override: str) -> str:
    """An override whose value is text in which `${` refers to nothing."""
    key, _, value = override.partition("=")
    escaped = re.sub(r"(\\*)\$\{", lambda found: 2 * found[1] + "\\${", value)
    return in_hydra_quotes(f"{key}={escaped}")


def advice(override: str, quotes: Callable[[str], str] = in_hydra_quotes) -> str:
    """What to type in a shell so that the value of an override is text.

    Args:
        override: as it was typed.
        quotes: `in_hydra_quotes`, or `literal` if a reference in the value is text, too.
    """
    text = quotes(override)
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
