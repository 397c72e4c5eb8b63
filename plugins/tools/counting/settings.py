"""Typed values of the configuration of `vidan eval counting`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from omegaconf import DictConfig

from vidan import options
from vidan.errors import ConfigError

from ..tracking import settings
from .gates import GATE_SETS, Extent, GateSet

MAX_DEAD_BAND = 10.0


@dataclass(frozen=True)
class Settings:
    """What to count, and what counts as true.

    Attributes:
        gates: where to count.
        tolerance: largest difference in time of a true and a counted crossing, s.
        dead_bands: of the truth, half widths in extents of the box.
        extent: which extent of the box.
        lines: name and options of the analyzer `lines`.
    """

    gates: GateSet
    tolerance: float
    dead_bands: tuple[float, ...] = (0.15,)
    extent: Extent = "width"
    lines: Mapping[str, Any] = field(default_factory=lambda: {"name": "lines"})

    @classmethod
    def from_config(cls, config: DictConfig) -> Settings:
        """The keys of `conf/eval_counting.yaml`.

        Raises:
            ConfigError: a value is invalid.
        """
        gates = GATE_SETS[options.choice("gates", config.gates, GATE_SETS)]
        tolerance = gates.tolerance
        if config.tolerance is not None:
            tolerance = options.positive("tolerance", config.tolerance)
        extent = options.choice("truth_extent", config.truth_extent, get_args(Extent))
        analytics = settings.group(config, "analytics")
        if analytics.get("lines", {}).get("name") != "lines":
            raise ConfigError("analytics: expected lines: leave out analytics=")
        return cls(
            gates,
            tolerance,
            _dead_bands(config),
            "width" if extent == "width" else "across",
            analytics["lines"],
        )


def _dead_bands(config: DictConfig) -> tuple[float, ...]:
    key = "truth_dead_bands"
    values = settings.plain(config)[key]
    values = values if isinstance(values, list) else [values]
    if not values:
        raise options.wrong(key, values, "at least one number")
    return tuple(options.number(key, value, 0.0, MAX_DEAD_BAND) for value in values)
