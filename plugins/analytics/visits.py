"""Visits to zones, the totals of them, and how many objects are too many."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from vidan.events import Measure

from .resting import Place

Box = tuple[float, float, float, float]

DWELL_BUCKETS = (1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800)
"""Upper bounds of the histogram of durations, s: a few seconds to a working day."""


class Moment(NamedTuple):
    """A moment of a path.

    Attributes:
        time: stream time, s.
        frame: index of the frame.
        box: xyxy, px.
    """

    time: float
    frame: int
    box: Box


@dataclass(slots=True)
class Visit:
    """An object in a zone.

    Attributes:
        zone: index of the zone.
        number: in the ids of its events.
        track: id of the track, or of the last one of several.
        label: of the object.
        began: when it entered, or was detected first.
        began_inside: whether it was detected first inside the zone.
        joined: whether it continued as another track.
        loitered: whether that was reported.
        missed: time of the first frame without the object; None while it is detected.
        last: its last moment inside, while it is not detected or when it has ended.
        vote: its label then.
        away: whether it has not been detected for too long to be counted as present.
        leaving: whether it was outside when it was lost.
        place: where it was at rest then; None if it was in motion.
    """

    zone: int
    number: int
    track: int
    label: str
    began: Moment
    began_inside: bool
    joined: bool
    loitered: bool = False
    missed: float | None = None
    last: Moment | None = None
    vote: str = ""
    away: bool = False
    leaving: bool = False
    place: Place | None = None

    def shifted(self, offset: float) -> Visit:
        """Itself, with all times changed by `offset` s."""
        self.began = _shifted(self.began, offset)
        self.missed = None if self.missed is None else self.missed + offset
        self.last = None if self.last is None else _shifted(self.last, offset)
        if self.place is not None:
            self.place = self.place._replace(since=self.place.since + offset)
        return self


def _shifted(moment: Moment, offset: float) -> Moment:
    return moment._replace(time=moment.time + offset)


@dataclass(slots=True)
class Crowd:
    """Whether there are too many objects in a zone.

    Attributes:
        since: when there became too many; None if there are not.
        number: in the ids of the events; 0 before they were too many for long enough.
    """

    since: Moment | None = None
    number: int = 0

    def shifted(self, offset: float) -> Crowd:
        """Itself, with all times changed by `offset` s."""
        self.since = None if self.since is None else _shifted(self.since, offset)
        return self


@dataclass(slots=True)
class Dwells:
    """The durations of visits that have ended.

    Attributes:
        seconds: sum of them.
        buckets: how many are in each interval between DWELL_BUCKETS; the last one has no end.
    """

    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(DWELL_BUCKETS) + 1))

    def add(self, dwell: float) -> None:
        """Add a duration, s."""
        self.seconds += dwell
        self.buckets[bisect_left(DWELL_BUCKETS, dwell)] += 1

    def cumulative(self) -> Iterator[tuple[str, int]]:
        """How many are at most as long as each bound, as Prometheus has it; `+Inf` for all."""
        bounds = [*(f"{bound:.1f}" for bound in DWELL_BUCKETS), "+Inf"]
        return zip(bounds, accumulate(self.buckets), strict=True)


class Totals:
    """Visits by zone and label.

    Args:
        names: of the zones.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self.visits: Counter[tuple[int, str]] = Counter()
        self._dwells: defaultdict[tuple[int, str], Dwells] = defaultdict(Dwells)

    def reset(self) -> None:
        """Start from zero."""
        for key in self.visits:
            self.visits[key] = 0
        for key in self._dwells:
            self._dwells[key] = Dwells()

    def change(self, names: list[str], new: Mapping[int, int]) -> None:
        """Replace the zones.

        Args:
            names: of the new ones.
            new: indices of the zones that continue, by those before.
        """
        self._names = names
        self.visits = Counter(
            {(new[zone], label): n for (zone, label), n in self.visits.items() if zone in new}
        )
        dwells = {(new[zone], label): d for (zone, label), d in self._dwells.items() if zone in new}
        self._dwells = defaultdict(Dwells, dwells)

    def end(self, visit: Visit, dwell: float) -> None:
        """Add the duration of a visit, s."""
        self._dwells[visit.zone, visit.label].add(dwell)

    def measures(self, present: Counter[tuple[int, str]]) -> dict[Measure, float]:
        """All values; `present` objects by zone and label."""
        measures: dict[Measure, float] = {}
        for zone, label in sorted({*present, *self.visits, *self._dwells}):
            labels = ("zone", self._names[zone]), ("label", label)
            dwells = self._dwells.get((zone, label), Dwells())
            measures[Measure("zone_objects", labels)] = float(present[zone, label])
            measures[Measure("zone_visits_total", labels)] = float(self.visits[zone, label])
            measures[Measure("zone_dwell_seconds_sum", labels)] = dwells.seconds
            measures[Measure("zone_dwell_seconds_count", labels)] = float(sum(dwells.buckets))
            for bound, count in dwells.cumulative():
                bucket = Measure("zone_dwell_seconds_bucket", (*labels, ("le", bound)))
                measures[bucket] = float(count)
        return measures

    def state(self) -> list[list[Any]]:
        """One row for each zone and label, ready for JSON."""
        keys = sorted({*self.visits, *self._dwells})
        return [
            [*key, self.visits[key], dwells.seconds, dwells.buckets[:]]
            for key in keys
            for dwells in [self._dwells.get(key, Dwells())]
        ]

    def restore(self, rows: list[list[Any]]) -> None:
        """Take over rows of `state`."""
        for zone, label, visits, seconds, buckets in rows:
            if len(buckets) != len(DWELL_BUCKETS) + 1:
                raise ValueError(f"expected {len(DWELL_BUCKETS) + 1} buckets, got {buckets}")
            self.visits[zone, label] = visits
            self._dwells[zone, label] = Dwells(float(seconds), [int(n) for n in buckets])
