"""Type hints of options as text for people."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Annotated, Any, Literal

from msgspec import Meta


def type_text(hint: Any) -> str:
    """A type hint as text, with the ranges of `Annotated` in words.

    >>> type_text(Annotated[int, Meta(ge=0, le=51)] | None)
    'int 0 to 51 | None'
    >>> type_text(Literal["fast", "slow"])
    "'fast' | 'slow'"
    """
    if isinstance(hint, str):
        return hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        ranges = [text for meta in arguments[1:] if (text := _range(meta))]
        return " ".join([type_text(arguments[0]), *ranges])
    if origin is Literal:
        return " | ".join(map(repr, arguments))
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_text(argument) for argument in arguments)
    if origin is not None and arguments:
        inner = ", ".join("..." if a is ... else type_text(a) for a in arguments)
        return f"{origin.__name__}[{inner}]"
    return "None" if hint is types.NoneType else inspect.formatannotation(hint)


def _range(meta: object) -> str:
    """The allowed values of a `msgspec.Meta`; "" if it has no limits."""
    if not isinstance(meta, Meta):
        return ""
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge:g} to {meta.le:g}"
    limits = (
        (meta.ge, ">= {:g}"),
        (meta.gt, "> {:g}"),
        (meta.le, "<= {:g}"),
        (meta.lt, "< {:g}"),
        (meta.min_length, "of length >= {}"),
        (meta.max_length, "of length <= {}"),
        (meta.pattern, "matching {!r}"),
    )
    return ", ".join(text.format(limit) for limit, text in limits if limit is not None)
