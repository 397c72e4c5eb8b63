"""How often, and after which waits, a source that was lost is looked for again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from vidan import options
from vidan.errors import ConfigError, did_you_mean

FOR_EVER: Mapping[str, Any] = MappingProxyType({"max": None, "first": 0.5, "longest": 30.0})
"""The defaults: tries without end, waits that double from `first` to `longest`, s."""

FACTOR = 2.0
"""By which a wait is longer than the one before it."""

JITTER = 0.5
"""The part of each wait that chance decides, so that many do not come back all at once."""


class Retry:
    """Exponential backoff with jitter.

    Args:
        max: tries to get a source back before it is given up; None for as many as it takes.
        first: longest wait before the first try, s.
        longest: longest wait before any try, s.

    Raises:
        ConfigError: a value that cannot be used.
    """

    def __init__(self, max: int | None, first: float, longest: float) -> None:  # noqa: A002
        if max is not None:
            options.whole("source.retry.max", max, 0)
        options.positive("source.retry.first", first)
        options.number("source.retry.longest", longest, first)
        self.max = max
        self._first = first
        self._longest = longest

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Retry:
        """From the values of `source.retry`; those that are not given are the defaults."""
        for key in values:
            if key not in FOR_EVER:
                known = did_you_mean(str(key), FOR_EVER)
                raise ConfigError(f"source.retry has no key {key!r}: {known}")
        return cls(**{**FOR_EVER, **values})

    def waits(self) -> Iterator[float]:
        """How long to wait before each try, s; they end when the source is to be given up."""
        wait, tries = self._first, 0
        while self.max is None or tries < self.max:
            yield wait * (1 - JITTER * random.random())  # noqa: S311 - nothing secret
            wait = min(wait * FACTOR, self._longest)
            tries += 1


NEVER = Retry(0, 1.0, 1.0)
"""What is lost stays lost."""
