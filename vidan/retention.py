"""How much of what vidan writes is kept: the option `keep`, which has one meaning everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from . import options
from .errors import ConfigError, did_you_mean

Keep = str | int | Mapping[str, str | int] | None
"""Values of an option `keep`: see `Limits.parse`."""

EXPECTED = "a size such as 20GB, an age such as 30d, a number, or several of them by name"


class Item(NamedTuple):
    """Something that may be deleted: a file, or a folder with all that is in it.

    Attributes:
        modified: when it was written last, s since 1970.
        path: of it.
        size: bytes.
    """

    modified: float
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept: whatever is beyond any of the limits is deleted, the oldest first.

    Attributes:
        size: of everything, bytes.
        age: since it was written last, s.
        count: number of files, folders or rows.
    """

    size: float = math.inf
    age: float = math.inf
    count: float = math.inf

    @classmethod
    def parse(cls, key: str, value: Any) -> Limits:
        """The limits that an option gives.

        Args:
            key: name of the option, for errors.
            value: a total size, such as `20GB`; an age, such as `30d`; a number; several of them,
                such as `{size: 20GB, age: 30d, count: 1000}`; or None to keep all.

        Raises:
            ConfigError: the value is none of these.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            return cls(**dict([_limit(key, value)]))
        if not value:
            raise options.wrong(key, dict(value), EXPECTED)
        limits = {}
        for name, each in value.items():
            if name not in cls.__slots__:
                raise ConfigError(f"{key}: {name!r}: {did_you_mean(str(name), cls.__slots__)}")
            if each is not None:
                limits[name] = _limit_named(f"{key}.{name}", name, each)
        return cls(**limits)

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is ever deleted."""
        return self == Limits()

    def surplus(self, items: Iterable[Item], now: float, reserve: float = 0.0) -> list[Path]:
        """What to delete, the oldest last; never the newest item.

        Args:
            items: everything that counts.
            now: s since 1970.
            reserve: part of the size to leave free, bytes, for what is written next.
        """
        total, beyond = reserve, []
        for number, (modified, path, size) in enumerate(sorted(items, reverse=True)):
            total += size
            old = now - modified > self.age
            if number and (old or total > self.size or number >= self.count):
                beyond.append(path)
        return beyond


def _limit(key: str, value: Any) -> tuple[str, float]:
    """The name and the value of the limit that a single value stands for."""
    if not isinstance(value, str):
        return "count", _limit_named(key, "count", value)
    try:
        limit = options.measure(key, value, {**options.BYTES, **options.SECONDS})
    except ConfigError:
        raise options.wrong(key, value, EXPECTED) from None
    return ("size" if value.endswith("B") else "age"), limit


def _limit_named(key: str, name: str, value: Any) -> float:
    if name == "count":
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise options.wrong(key, value, EXPECTED if key == "keep" else "a number from 1")
        return value
    return options.measure(key, value, options.BYTES if name == "size" else options.SECONDS)
