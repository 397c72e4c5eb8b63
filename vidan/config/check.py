"""Check values of a configuration against type hints."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, Literal

import msgspec

from ..errors import ConfigError, did_you_mean


def check(key: str, value: object, hint: Any) -> None:
    """Check a value against a type hint, with the ranges of `Annotated[..., msgspec.Meta(...)]`.

    A hint that no value of a YAML file can satisfy is left to the component.

    Raises:
        ConfigError: the value has another type, is out of range or not one of the choices.
    """
    try:
        msgspec.convert(value, hint, strict=True, dec_hook=_not_convertible)
    except msgspec.ValidationError as error:
        known = choices(hint)
        if isinstance(value, str) and known:
            raise ConfigError(f"{key}={value!r}: {did_you_mean(value, known)}") from error
        text = str(error)
        raise ConfigError(f"{key}: {text[:1].lower()}{text[1:]}, not {value!r}") from error
    except (NotImplementedError, TypeError):
        return


def choices(hint: Any) -> list[str]:
    """The strings that the `Literal` parts of a type hint allow."""
    origin = typing.get_origin(hint)
    if origin is Literal:
        return [value for value in typing.get_args(hint) if isinstance(value, str)]
    if origin is Annotated:
        return choices(typing.get_args(hint)[0])
    if origin in (typing.Union, types.UnionType):
        return [name for part in typing.get_args(hint) for name in choices(part)]
    return []


def _not_convertible(_type: type, _value: object) -> None:
    raise NotImplementedError
