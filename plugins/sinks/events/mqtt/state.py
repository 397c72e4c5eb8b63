"""Values that a broker keeps: how many objects there are, and how many crossed each line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from vidan.errors import SinkError
from vidan.types import Result

from .topics import level

ALL = "all"
"""Label under which the sum over all labels is published."""

LINES = "lines"


class Entities(NamedTuple):
    """What has values: pairs and triples of names, in order.

    Attributes:
        stream: name of the stream.
        zones: zone and label, also with ALL as the label.
        lines: line, direction and label, also with ALL as the label.
    """

    stream: str
    zones: tuple[tuple[str, str], ...]
    lines: tuple[tuple[str, str, str], ...]


class Topics:
    """The topics of values below a prefix.

    Args:
        prefix: of all topics.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def objects(self, place: str, label: str = ALL) -> str:
        """Of the objects in a stream or a zone."""
        return f"{self.prefix}/{level(place)}/{level(label)}"

    def crossings(self, stream: str, line: str, direction: str, label: str = ALL) -> str:
        """Of the objects that crossed a line."""
        names = (stream, LINES, line, direction, label)
        return "/".join((self.prefix, *map(level, names)))

    def owned(self, found: Entities) -> set[str]:
        """Filters of all values, also of labels that have none yet."""
        places = {found.stream, *(zone for zone, _ in found.zones)}
        lines = f"{self.prefix}/{level(found.stream)}/{LINES}/+/+/+"
        return {f"{self.prefix}/{level(place)}/+" for place in places} | {lines}

    def snapshot(self, stream: str, label: str) -> str:
        """Of the image of an object."""
        return f"{self.objects(stream, label)}/snapshot"


def entities(result: Result) -> Entities:
    """What has values as of a frame: lines and zones from the first frame on.

    Raises:
        SinkError: a zone has the name of the stream, so that both would have the same topics.
    """
    stream = result.frame.stream
    zones = {names for names, _ in _zones(result)}
    for zone, _ in zones:
        if level(zone) == level(stream):
            raise SinkError(
                f"the zone {zone!r} has the name of the stream, and both need topics: rename one"
            )
    lines = {names for names, _ in _lines(result)}
    return Entities(stream, tuple(sorted(zones)), tuple(sorted(lines)))


def values(result: Result, topics: Topics) -> dict[str, int]:
    """The values as of a frame, by topic; of the stream also those of labels without objects."""
    stream = result.frame.stream
    present = Counter(result.label(index) for index in result.tracks.classes.tolist())
    found = {topics.objects(stream, label): present[label] for label in (*result.labels, *present)}
    found[topics.objects(stream)] = present.total()
    found |= {topics.objects(zone, label): value for (zone, label), value in _zones(result)}
    found |= {topics.crossings(stream, *names): value for names, value in _lines(result)}
    return found


def _zones(result: Result) -> Iterable[tuple[tuple[str, str], int]]:
    """Objects by zone and label."""
    sums: Counter[tuple[str, str]] = Counter()
    for shape in result.shapes:
        if shape.rule is not None and shape.kind == "polygon":
            sums[shape.rule, ALL] = 0
    for labels, value in _values(result, "zone_objects"):
        sums[labels["zone"], labels["label"]] += value
        sums[labels["zone"], ALL] += value
    return sums.items()


def _lines(result: Result) -> Iterable[tuple[tuple[str, str, str], int]]:
    """Crossings by line, direction and label."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for shape in result.shapes:
        if shape.rule is not None and shape.inward is not None:
            sums[shape.rule, "in", ALL] = sums[shape.rule, "out", ALL] = 0
    for labels, value in _values(result, "line_crossings_total"):
        line, direction = labels["line"], labels["direction"]
        sums[line, direction, labels["label"]] += value
        sums[line, direction, ALL] += value
    return sums.items()


def _values(result: Result, name: str) -> Iterator[tuple[dict[str, str], int]]:
    """Labels and value of each measure of a name."""
    for measure, value in result.measures.items():
        if measure.name == name:
            yield dict(measure.labels), round(value)
