"""Check values of a configuration against type hints."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec

from ..errors import ConfigError, did_you_mean
from ..options import SECRET

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")


def check(key: str, value: object, hint: Any) -> None:
    """Check a value against a type hint, with the ranges of `Annotated[..., msgspec.Meta(...)]`.

    A hint that no value of a YAML file can satisfy is left to the component.

    Raises:
        ConfigError: the value has another type, is out of range or not one of the choices, or is
            an infinite number or NaN.
    """
    secret = is_secret(hint)
    if isinstance(value, float) and not math.isfinite(value) and not secret:
        raise ConfigError(f"{key}={value!r}: expected a finite number")
    try:
        msgspec.convert(value, hint, strict=True, dec_hook=_not_convertible)
    except msgspec.ValidationError as error:
        if secret:
            raise ConfigError(f"{key}: expected text: put it in quotes, '{key}=\"...\"'") from error
        known = choices(hint)
        if isinstance(value, str) and known:
            raise ConfigError(f"{key}={value!r}: {did_you_mean(value, known)}") from error
        text = str(error).replace("`object", "`mapping")  # JSON's word
        raise ConfigError(f"{key}: {text[:1].lower()}{text[1:]}, not {value!r}") from error
    except (NotImplementedError, TypeError):
        return


def checked(cls: type[Settings], values: Mapping[str, Any], prefix: str = "") -> Settings:
    """An instance of a dataclass, made of the values that it has fields for.

    Args:
        cls: a dataclass; the values are checked against the annotations of its fields.
        values: by field.
        prefix: in front of the name of a field, for errors.

    Raises:
        ConfigError: a field has neither a value nor a default, or `check` refuses the value.
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    optional = {field.name for field in fields(cls) if field.default is not MISSING}
    names = [f.name for f in fields(cls) if f.name in values or f.name not in optional]
    for name in names:
        key = prefix + name
        if name not in values:
            raise ConfigError(f"missing {key}: set {key}=<value>")
        check(key, values[name], hints[name])
    return cls(**{name: values[name] for name in names})


def is_secret(hint: Any) -> bool:
    """Whether a type hint has the mark `vidan.options.SECRET`."""
    parts = typing.get_args(hint)
    return any(part is SECRET or is_secret(part) for part in parts)


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
