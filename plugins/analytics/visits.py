"""Visits to zones, the totals of them, and how many objects are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from vidan.events import Measure

from .resting import Place

Box = tuple[float, float, float, float]


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


class Totals:
    """Visits by zone and label.

    Args:
        names: of the zones.
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self.visits: Counter[tuple[int, str]] = Counter()
        self._ended: Counter[tuple[int, str]] = Counter()
        self._seconds: Counter[tuple[int, str]] = Counter()

    def reset(self) -> None:
        """Start from zero."""
        for counter in (self.visits, self._ended, self._seconds):
            for key in counter:
                counter[key] = 0

    def end(self, visit: Visit, dwell: float) -> None:
        """Add the duration of a visit, s."""
        self._ended[visit.zone, visit.label] += 1
        self._seconds[visit.zone, visit.label] += dwell  # type: ignore[assignment]

    def measures(self, present: Counter[tuple[int, str]]) -> dict[Measure, float]:
        """All values; `present` objects by zone and label."""
        columns: tuple[tuple[str, Mapping[tuple[int, str], float]], ...] = (
            ("zone_objects", present),
            ("zone_visits_total", self.visits),
            ("zone_dwell_seconds_sum", self._seconds),
            ("zone_dwell_seconds_count", self._ended),
        )
        keys = sorted({*present, *self.visits, *self._ended})
        return {
            Measure(name, (("zone", self._names[zone]), ("label", label))): float(
                values.get((zone, label), 0)
            )
            for name, values in columns
            for zone, label in keys
        }

    def state(self) -> list[list[Any]]:
        """One row for each zone and label, ready for JSON."""
        keys = sorted({*self.visits, *self._ended})
        return [
            [zone, label, self.visits[zone, label], self._ended[zone, label],
             float(self._seconds[zone, label])]
            for zone, label in keys
        ]  # fmt: skip

    def restore(self, rows: list[list[Any]]) -> None:
        """Take over rows of `state`."""
        for zone, label, visits, ended, seconds in rows:
            self.visits[zone, label] = visits
            self._ended[zone, label], self._seconds[zone, label] = ended, seconds
