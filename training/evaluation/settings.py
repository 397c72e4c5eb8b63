"""The options of `vidan eval detection` that concern the evaluation itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from omegaconf import DictConfig

from vidan import options
from vidan.errors import ConfigError

from .slices import CLEAN, SLICES


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How to evaluate.

    Attributes:
        slices: names of `SLICES`, starting with the clean one.
        seed: of the slices.
        min_score: minimum score that counts for average precision, in (0,1].
        target_precision: precision for which a threshold is reported, in (0,1].
        group_pattern: matches the part of a file name that identifies its group.
        worst: number of mistakes of each kind to show.
    """

    slices: tuple[str, ...]
    seed: int
    min_score: float
    target_precision: float
    group_pattern: re.Pattern[str]
    worst: int

    @classmethod
    def from_config(cls, config: DictConfig) -> EvaluationSettings:
        """Read and check the configuration.

        Raises:
            ConfigError: an option has a bad value.
        """
        given = list(SLICES) if config.slices is None else config.slices
        names = options.names("slices", given if isinstance(given, str) else list(given))
        for name in names:
            options.choice("slices", name, SLICES)
        text = options.text("group_pattern", config.group_pattern)
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise ConfigError(f"group_pattern={text!r}: not a pattern: {error}") from error
        return cls(
            tuple(dict.fromkeys((CLEAN, *names))),
            options.whole("seed", config.seed, 0),
            options.number("min_score", config.min_score, 0, 1),
            options.number("target_precision", config.target_precision, 0, 1),
            pattern,
            options.whole("worst", config.worst, 0),
        )

    @property
    def target_name(self) -> str:
        """Name of the operating point with the target precision."""
        return f"P {self.target_precision:g}"

    def group_of(self, stem: str) -> str:
        """Group of an image by its file name; the pattern's capture group if it has one."""
        found = self.group_pattern.match(stem)
        name = found[found.re.groups and 1] if found else ""
        return (name or "").strip(" _-.(") or "others"
