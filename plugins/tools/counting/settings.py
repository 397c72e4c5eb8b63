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
from .visits import VISIT_VISIBILITY

MAX_DEAD_BAND = 10.0


@dataclass(frozen=True)
class Settings:
    """What to count, and what counts as true.

    Attributes:
        gates: where to count.
        tolerance: largest difference in time of a true and a counted crossing, s.
        reach: largest distance of them along the gate, heights of the person.
        min_visibility: mean visible fraction of a person around a visible crossing.
        visit_visibility: mean visible fraction of a person during an expected visit.
        dead_bands: of the truth, half widths in extents of the box.
        extent: which extent of the box.
        broken: whether to count in tracks of the ground truth, broken on purpose.
        seed: of the random numbers for that.
        peers: whether to count with supervision too.
        lines: name and options of the analyzer `lines`.
        zones: name and options of the analyzer `zones`.
    """

    gates: GateSet
    tolerance: float
    reach: float
    min_visibility: float
    visit_visibility: float
    dead_bands: tuple[float, ...] = (0.15,)
    extent: Extent = "width"
    broken: bool = False
    seed: int = 0
    peers: bool = False
    lines: Mapping[str, Any] = field(default_factory=lambda: {"name": "lines"})
    zones: Mapping[str, Any] = field(default_factory=lambda: {"name": "zones"})

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
        reach = gates.reach
        if config.reach is not None:
            reach = options.positive("reach", config.reach)
        visibility = config.min_visibility
        if visibility is not None:
            visibility = options.number("min_visibility", visibility, 0.0, 1.0)
        extent = options.choice("truth_extent", config.truth_extent, get_args(Extent))
        if config.broken and config.results is not None:
            raise ConfigError("broken=true counts in tracks of the ground truth: omit results=")
        analytics = settings.group(config, "analytics")
        for name in ("lines", "zones"):
            if analytics.get(name, {}).get("name") != name:
                raise ConfigError("analytics: expected lines and zones: leave out analytics=")
        return cls(
            gates,
            tolerance,
            reach,
            gates.min_visibility if visibility is None else visibility,
            VISIT_VISIBILITY if visibility is None else visibility,
            _dead_bands(config),
            "width" if extent == "width" else "across",
            options.boolean("broken", config.broken),
            options.whole("seed", config.seed, 0),
            options.boolean("peers", config.peers),
            analytics["lines"],
            analytics["zones"],
        )


def _dead_bands(config: DictConfig) -> tuple[float, ...]:
    key = "truth_dead_bands"
    values = settings.plain(config)[key]
    values = values if isinstance(values, list) else [values]
    if not values:
        raise options.wrong(key, values, "at least one number")
    return tuple(options.number(key, value, 0.0, MAX_DEAD_BAND) for value in values)
