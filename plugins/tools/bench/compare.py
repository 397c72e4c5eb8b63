"""Holds two results against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vidan.errors import ConfigError

from .environment import one_line
from .results import Cell, Table

MORE_IS_BETTER = ("fps", "per_second")
"""Of all other figures less is better."""

Spread = Mapping[str, Any]


def compare(a: Mapping[str, Any], b: Mapping[str, Any]) -> Table:
    """Every figure that two results have in common: b against a.

    A difference counts only where the runs of the one and of the other do not overlap.

    Args:
        a: a result, as of `results.load`.
        b: another.

    Raises:
        ConfigError: they have no figure in common.
    """
    first, second = dict(spreads(a)), dict(spreads(b))
    common = [name for name in first if name in second]
    if not common:
        raise ConfigError(f"results {a['name']!r} and {b['name']!r} have no figure in common")
    rows = [_row(name, first[name], second[name]) for name in common]
    return Table(
        f"b: {b['name']} of {b['environment']['date']} against a: {a['name']} of "
        f"{a['environment']['date']}",
        ["", "a", "b", "b / a", "b is"],
        rows,
        differences(a, b),
    )


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """What differs in the environments but the date and the load, for people."""
    one, other = (dict(found["environment"]) for found in (a, b))
    changed = [k for k in one if k not in ("date", "load") and one[k] != other.get(k)]
    if not changed:
        return f"both on {one_line(other)}"
    return "careful, these differ: " + "; ".join(
        f"{key}: {one[key]} and {other.get(key)}" for key in changed
    )


def spreads(found: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Spread]]:
    """Every spread in a result, with the names of the groups that it is in."""
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
        return "not known: one run has no spread"
    if a["low"] <= b["high"] and b["low"] <= a["high"]:
        return "the same, inside the spread"
    more = b["median"] > a["median"]
    good = more == name.split(" ")[-1].endswith(MORE_IS_BETTER)
    return "better" if good else "worse"
