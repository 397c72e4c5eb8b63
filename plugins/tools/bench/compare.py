"""Comparison of two results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vidan.errors import ConfigError

from .environment import one_line
from .results import Cell, Table

HIGHER_IS_BETTER = ("fps", "per_second")
"""Endings of the metrics whose higher value is better; for all others it is the lower one."""

Spread = Mapping[str, Any]
"""Summary of several runs: see `results.spread`."""


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> Table:
    """Compare every metric that two results have in common: b relative to a.

    A difference is significant only if the ranges of their runs do not overlap.

    Args:
        a: a result, as `results.load` returns it.
        b: another result.

    Raises:
        ConfigError: they have no metric in common.
    """
    first, second = dict(spreads(a)), dict(spreads(b))
    common = [name for name in first if name in second]
    if not common:
        raise ConfigError(f"results {a['name']!r} and {b['name']!r} have no metric in common")
    rows = [_row(name, first[name], second[name]) for name in common]
    return Table(
        f"a: {a['name']} of {a['environment']['date']}, b: {b['name']} of "
        f"{b['environment']['date']}",
        ["", "a", "b", "b / a", "b is"],
        rows,
        differences(a, b),
    )


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """The differences of the environments, except for date and load, as a sentence."""
    one, other = (dict(found["environment"]) for found in (a, b))
    changed = [k for k in one if k not in ("date", "load") and one[k] != other.get(k)]
    if not changed:
        return f"both on {one_line(other)}"
    return "note the differences: " + "; ".join(
        f"{key}: {one[key]} and {other.get(key)}" for key in changed
    )


def spreads(found: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Spread]]:
    """Every summary in a result, with the names of its groups."""
    if {"median", "low", "high"} <= found.keys():
        yield where, found
        return
    for name, part in found.items():
        if isinstance(part, Mapping):
            inner = where if name in ("modes", "figures", "run") else f"{where} {name}".strip()
            yield from spreads(part, inner)


def _row(name: str, a: Spread, b: Spread) -> list[Cell]:
    ratio = b["median"] / a["median"] if a["median"] else None
    return [name, _text(a), _text(b), ratio, _verdict(name, a, b)]


def _text(found: Spread) -> str:
    return f"{found['median']:.4g} ({found['low']:.4g} to {found['high']:.4g})"


def _verdict(name: str, a: Spread, b: Spread) -> str:
    if len(a["runs"]) < 2 or len(b["runs"]) < 2:
        return "unknown: a single run has no range"
    if a["low"] <= b["high"] and b["low"] <= a["high"]:
        return "equal, within the range of runs"
    higher = b["median"] > a["median"]
    good = higher == name.split(" ")[-1].endswith(HIGHER_IS_BETTER)
    return "better" if good else "worse"
