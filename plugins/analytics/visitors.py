"""The visits that are going on, and which of them continue when tracks are lost and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from typing import Any

import msgspec
import numpy as np

from vidan.types import Result

from .resting import REST_AFTER_S, UNCERTAIN, match_places, place_of, take_place
from .stitching import Rows
from .visits import Moment, Visit
from .zone_paths import EPSILON_S, MAX_STEP_S, Pair, ZonePaths

AWAY_AFTER_S = 1.0
"""Time without a track after which an object is not counted as present, s."""

Key = tuple[int, int]  # index of the zone, and id


class Visitors:
    """The visits that are going on.

    Args:
        paths: of the tracks.
        leave_after: time outside after which an object has left, s.
        lost_after: time without a track after which a moving object has left, s.
        forget_after: time without a track after which any object has left, s.

    Attributes:
        all: by zone and id.
        changed: whether the present ones may have changed; for others to reset.
    """

    def __init__(
        self, paths: ZonePaths, leave_after: float, lost_after: float, forget_after: float
    ) -> None:
        self._paths = paths
        self._leave_after = leave_after
        self._lost_after = lost_after
        self._forget_after = forget_after
        # Most tracks that are lost are found again soon; where they were is rarely needed.
        self._patient = min(lost_after, forget_after) >= AWAY_AFTER_S + MAX_STEP_S
        self.all: dict[Key, Visit] = {}
        self.changed = False
        self._absent: dict[Key, Visit] = {}  # those without a track in the last frame
        self._returned: list[Visit] = []
        self._ids = np.zeros(0, np.int64)
        self._now: float | None = None

    def add(self, visit: Visit, row: int) -> None:
        """Add a visit of a track."""
        self.changed = True
        self.all[visit.zone, visit.track] = visit
        self._paths.visit(visit, row)

    def notice(self, result: Result) -> None:
        """Note which visitors have no track now."""
        ids, now = result.tracks.ids, result.frame.time
        paused = self._now is not None and now - self._now > MAX_STEP_S
        self._now = now
        self._returned = []
        if not paused and ids.tobytes() == self._ids.tobytes():
            return
        self._ids = ids
        present = set(ids.tolist())
        for key, visit in self.all.items():
            if key not in self._absent and (paused or visit.track not in present):
                visit.missed, visit.last = now, None
                self._absent[key] = visit
                if paused or not self._patient:
                    self._locate(visit, result)
        self._returned = [v for v in self._absent.values() if v.track in present]
        for visit in self._returned:
            del self._absent[visit.zone, visit.track]
            self._find(visit)

    def take_over(self) -> None:
        """Let tracks that continue others continue their visits too."""
        memory = self._paths.memory
        for old, new in memory.joins:
            for zone in range(self._paths.columns["side"].shape[0]):
                visit = self.all.pop((zone, int(memory.ids[old])), None)
                if visit is not None:
                    self._absent.pop((zone, visit.track), None)
                    self._rename(visit, int(memory.ids[new]))
                self._paths.take_over(zone, old, new)

    def resume(self, begun: list[Pair], rows: Rows, result: Result) -> list[Visit]:
        """Continue the visits of objects that have a track again.

        Args:
            begun: pairs whose first box is inside.
            rows: of all tracks.
            result: of the frame.

        Returns:
            the visits that have ended since they had one.
        """
        columns, ended = self._paths.columns, []
        if self._returned:
            row_of = dict(zip(result.tracks.ids.tolist(), rows.tolist(), strict=True))
            for visit in self._returned:
                row = row_of[visit.track]
                if columns["visiting"][visit.zone, row]:
                    continue  # it was not away for long enough to be forgotten
                if columns["side"][visit.zone, row] > 0:
                    self._continue(visit, row)
                else:
                    self._locate(visit, result)
                    ended.append(self._remove(visit))
        if begun and self._absent:
            self._resume_places(begun, result)
        return ended

    def leave(self, pair: Pair, result: Result) -> Visit:
        """End the visit of a track that is outside."""
        memory = self._paths.memory
        visit = self.all[pair.zone, int(memory.ids[pair.row])]
        visit.vote = self.label(visit, pair.row, result)
        visit.last = moment(self._paths.columns["exit"][pair.zone, pair.row])
        self.changed = True
        key = visit.zone, visit.track
        del self.all[key]
        self._absent.pop(key, None)
        return visit

    def lose(self, now: float, result: Result) -> list[Visit]:
        """End the visits of objects that are lost for too long; those that may return are away."""
        for visit in self._absent.values():
            if not visit.away and visit.missed is not None and now - visit.missed >= AWAY_AFTER_S:
                visit.away = self.changed = True
                self._locate(visit, result)
        return [self._remove(v) for v in list(self._absent.values()) if self._is_over(v, now)]

    def finish(self, result: Result) -> list[Visit]:
        """End all visits."""
        return self.end(range(len(self._paths.columns["side"])), result)

    def end(self, zones: Container[int], result: Result) -> list[Visit]:
        """End the visits to some zones."""
        chosen = [(key, visit) for key, visit in self.all.items() if visit.zone in zones]
        for key, visit in chosen:
            if key not in self._absent:
                visit.missed, visit.last = result.frame.time, None
            self._locate(visit, result)
        return [self._remove(visit) for _, visit in chosen]

    def renumber(self, new: Mapping[int, int]) -> None:
        """Replace the indices of zones; visits to others must have ended."""
        for visit in self.all.values():
            visit.zone = new[visit.zone]
        self.all = {(visit.zone, visit.track): visit for visit in self.all.values()}
        self._absent = {(visit.zone, visit.track): visit for visit in self._absent.values()}
        self.changed = True

    def label(self, visit: Visit, row: int, result: Result) -> str:
        """The label of a visitor now; the one it had if its track has none yet."""
        label = self._paths.memory.label(row, result)
        return visit.label if label == UNCERTAIN else label

    def present(self) -> Counter[tuple[int, str]]:
        """How many visitors are present, by zone and label."""
        return Counter((v.zone, v.label) for v in self.all.values() if not v.away)

    def _locate(self, visit: Visit, result: Result) -> None:
        """Note where a visitor without a track was last, unless that is known."""
        if visit.last is not None:
            return
        memory, zone = self._paths.memory, visit.zone
        row = memory.row(visit.track)
        assert row is not None  # it was there in the frame before
        visit.leaving = bool(self._paths.columns["side"][zone, row] < 0)
        visit.vote = self.label(visit, row, result)
        visit.place = None
        if visit.leaving:
            visit.last = moment(self._paths.columns["exit"][zone, row])
            return
        x1, y1, x2, y2 = memory.boxes[row].tolist()
        visit.last = Moment(float(memory.time[row]), int(memory.frame[row]), (x1, y1, x2, y2))
        if visit.last.time - self._paths.columns["rest_since"][0, row] >= REST_AFTER_S:
            visit.place = place_of(memory, self._paths.columns, row, result)

    def state(self, result: Result | None) -> dict[str, Any]:
        """What `restore` needs, ready for JSON, after the last result."""
        if result is not None:
            for visit in self._absent.values():
                self._locate(visit, result)
        return {
            "visits": [
                [key in self._absent, msgspec.to_builtins(visit)] for key, visit in self.all.items()
            ],
            "ids": self._ids.tolist(),
            "now": self._now,
        }

    def restore(self, state: Mapping[str, Any], offset: float) -> None:
        """Continue from a state, whose times are changed by `offset` s."""
        for absent, values in state["visits"]:
            visit = msgspec.convert(values, Visit).shifted(offset)
            self.all[visit.zone, visit.track] = visit
            if absent:
                self._absent[visit.zone, visit.track] = visit
        self._ids = np.array(state["ids"], np.int64)
        self._now = None if state["now"] is None else state["now"] + offset

    def _is_over(self, visit: Visit, now: float) -> bool:
        assert visit.missed is not None
        if visit.last is None:
            return False  # it was not missed for long
        gone = now - visit.last.time + EPSILON_S
        if visit.leaving:
            return gone >= self._leave_after
        lost = visit.place is None and now - visit.missed + EPSILON_S >= self._lost_after
        return lost or gone >= self._forget_after

    def _resume_places(self, begun: list[Pair], result: Result) -> None:
        """Continue the visits of objects at rest with new tracks at their places."""
        memory, tracks = self._paths.memory, result.tracks
        for visit in self._absent.values():
            self._locate(visit, result)
        index = {number: n for n, number in enumerate(tracks.ids.tolist())}
        for zone in sorted({pair.zone for pair in begun}):
            places = {
                key: visit.place
                for key, visit in self._absent.items()
                if visit.zone == zone and visit.place is not None
            }
            rows = {index[int(memory.ids[p.row])]: p.row for p in begun if p.zone == zone}
            boxes = {n: (tracks.boxes[n], result.label(int(tracks.classes[n]))) for n in rows}
            for key, n in match_places(places, boxes):
                visit = self._absent.pop(key)
                del self.all[key]
                self._paths.forget(visit.zone, visit.track)  # another may still continue that track
                self._rename(visit, int(tracks.ids[n]))
                self._continue(visit, rows[n])

    def _continue(self, visit: Visit, row: int) -> None:
        """Continue a visit with a track that was just found inside."""
        self.add(visit, row)
        if visit.place is not None:
            take_place(self._paths.columns, row, visit.place)

    def _find(self, visit: Visit) -> None:
        """Note that an object is detected again."""
        self.changed |= visit.away
        visit.away = False

    def _rename(self, visit: Visit, track: int) -> None:
        self._find(visit)
        visit.joined, visit.track = True, track
        self.all[visit.zone, track] = visit

    def _remove(self, visit: Visit) -> Visit:
        self.changed = True
        key = visit.zone, visit.track
        del self.all[key]
        self._absent.pop(key, None)
        self._paths.forget(*key)
        return visit


def moment(point: Any) -> Moment:
    """A point of a path."""
    x1, y1, x2, y2 = point["box"].tolist()
    return Moment(float(point["time"]), int(point["frame"]), (x1, y1, x2, y2))
