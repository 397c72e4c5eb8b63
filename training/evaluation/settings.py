"""The options of `vidan eval detection` that say how to measure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from omegaconf import DictConfig

from vidan import options
from vidan.errors import ConfigError

from .slices import CLEAN, SLICES


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Attributes:
        slices: names of `SLICES`, the clean one first.
        seed: of the slices.
        lowest: the least score that counts for average precision, in (0,1].
        precision: a threshold for it is looked for, in (0,1].
        group: the beginning of a file's name that says its group.
        worst: mistakes of each kind to show.
    """

    slices: tuple[str, ...]
    seed: int
    lowest: float
    precision: float
    group: re.Pattern[str]
    worst: int

    @classmethod
    def of(cls, config: DictConfig) -> Settings:
        """From the configuration, checked.

        Raises:
            ConfigError: an option has a bad value.
        """
        given = list(SLICES) if config.slices is None else config.slices
        names = options.names("slices", given if isinstance(given, str) else list(given))
        for name in names:
            options.choice("slices", name, SLICES)
        try:
            group = re.compile(options.text("group", config.group))
        except re.error as error:
            raise ConfigError(f"group={config.group!r}: not a pattern: {error}") from error
        return cls(
            tuple(dict.fromkeys((CLEAN, *names))),
            options.whole("seed", config.seed, 0),
            options.number("lowest_score", config.lowest_score, 0, 1),
            options.number("precision", config.precision, 0, 1),
            group,
            options.whole("worst", config.worst, 0),
        )

    @property
    def sure(self) -> str:
        """What the point with the precision that was asked for is called."""
        return f"P {self.precision:g}"

    def group_of(self, stem: str) -> str:
        """The group of an image by its file's name; the pattern's own group if it has one."""
        found = self.group.match(stem)
        name = found[found.re.groups and 1] if found else ""
        return (name or "").strip(" _-.(") or "others"
