"""Counts objects that cross lines, by direction and label."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, MutableMapping
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import CROSSED, Event, Measure, Shape
from vidan.geometry import ANCHOR_HEIGHTS, beyond_edges, passes_between, right_normal
from vidan.scene import SceneContext
from vidan.types import Result

from ..formats.scene_file import load_scene
from .columns import Columns
from .scene_change import kept_shapes
from .smoothing import Floats
from .stitching import TrackMemory, shared_memory

Bools = npt.NDArray[np.bool_]

log = logging.getLogger(__name__)

MAX_DELAY_S = 1.0
"""A crossing is dated at most this long before it is known, s."""

COLUMNS = {
    "side": (np.int8, 0),  # last known side: 1 right, -1 left, 0 not known yet
    "distance": (np.float64, np.nan),  # of the last anchor, px; positive to the right
    "open": (np.bool_, True),  # whether anything has happened since the side was known
    "net": (np.int8, 0),  # crossings of the segment since the side was known, to the right minus
    "near": (np.bool_, False),  # whether it was in the dead band beside the segment
    "joined": (np.bool_, False),  # whether broken tracks were joined since the side was known
}
"""What is remembered of each line and track."""


class Passage(NamedTuple):
    """Where a path passed a line, or the line's extension."""

    time: float
    frame: int
    box: tuple[float, float, float, float]
    at: tuple[float, float]


class Lines:
    """Reports `line.crossed` for each object that crosses a line of the scene.

    Paths are smoothed, since boxes are noisy. The side of an object is known while its anchor is
    outside the dead band of the line, whose width is proportional to the size of its box. A
    crossing is a change of the known side whose path passes between the end points. It is dated
    and located where the path passed the line, and known as soon as the object leaves the dead
    band. A line that ends at an edge of the image goes on beyond it, as boxes do. In the data of
    an event are `direction`, `in` or `out`; `joined`, whether a broken track was continued by
    another; and `delay`, how much later the event became known, s.

    The label is the one that most boxes of the track had so far.

    Args:
        scene: lines and zones; given by the run. A path or the content of a scene file elsewhere.
        dead_band: half the width of the dead band, in widths of the box.
        join_within: longest time between a track and the one that continues it, s; 0 to join none.
        required: whether a scene without lines is an error; else nothing is done then.
        explain: whether to log each crossing, and each path that came near a line but was not
            counted, with the reason.
        shared: what the analyzers of a stream have in common; given by the run.

    Raises:
        ConfigError: the scene is invalid or has no line.
    """

    def __init__(
        self,
        scene: SceneContext | Mapping[str, Any] | str | None = None,
        dead_band: Annotated[float, Meta(ge=0, le=1)] = 0.15,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
        required: bool = True,
        explain: bool = False,
        shared: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._scene = load_scene(scene)
        self._lines = self._scene.lines
        if required and not self._lines:
            raise ConfigError(
                "analytics.lines: the scene has no line: set scene=<file>, or "
                "scene.lines.<name>={from:[x,y],to:[x,y]}"
            )
        self._dead_band = dead_band
        self._explain = explain
        self._join_within, self._shared = join_within, shared
        self._memory = TrackMemory(join_within)
        self._columns = Columns(COLUMNS, len(self._lines))
        self._counts: Counter[tuple[str, str, str]] = Counter()  # line, direction, label
        self._measures: dict[Measure, float] | None = None
        self._numbers: Counter[str] = Counter()  # of the events of each line
        self._passages: dict[tuple[int, int], Passage] = {}  # by line and id
        self._size: tuple[int, int] | None = None
        self._labels: tuple[str, ...] | None = None
        self._last: Result | None = None

    def update(self, result: Result) -> list[Event]:
        """The crossings that became known with this frame, by time."""
        if not self._lines:
            return []
        self._fit(result)
        self._last = result = self._memory.distinct(result)
        rows = self._memory.update(result)
        self._columns.follow(self._memory)
        if self._memory.joins:
            self._take_over()
        events = self._advance(result) if len(rows) else []
        if self._explain:
            self._explain_ended(result, MAX_DELAY_S)
        if len(self._passages) > 2 * len(self._memory.ids) * len(self._lines):
            self._drop_passages()
        return events

    def change_scene(self, scene: SceneContext) -> tuple[Event, ...]:
        """See SceneEditable. Lines that are as they were continue; others start from zero."""
        self._scene = load_scene(scene)
        kept = kept_shapes(self._lines, self._scene.lines)
        same = {
            line.name for line, old in zip(self._scene.lines, kept, strict=True) if old is not None
        }
        self._lines = self._scene.lines
        self._counts = Counter({key: n for key, n in self._counts.items() if key[0] in same})
        new = {old: index for index, old in enumerate(kept) if old is not None}
        self._passages = {
            (new[line], track): passage
            for (line, track), passage in self._passages.items()
            if line in new
        }
        self._columns.select(kept)
        self._measures = self._labels = None
        if not self._lines:
            self._size = None  # begin anew with all tracks when there is a line again
        elif self._size is not None:
            self._place(*self._size)
        return ()

    def finish(self) -> list[Event]:
        """None: what is not known by the end of the stream is not counted."""
        if self._explain and self._last is not None:
            self._explain_ended(self._last, 0.0)
        return []

    def measures(self) -> dict[Measure, float]:
        """`line_crossings_total` by line, direction and label, from 0 for labels of the line."""
        if self._measures is None:
            expected = {(rule.name, label) for rule in self._lines for label in rule.labels or ()}
            pairs = expected | {(line, label) for line, _, label in self._counts}
            self._measures = {
                Measure(
                    "line_crossings_total",
                    (("line", line), ("direction", direction), ("label", label)),
                ): float(self._counts[line, direction, label])
                for line, label in sorted(pairs)
                for direction in ("in", "out")
            }
        return self._measures

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "counts": [[*key, count] for key, count in self._counts.items()],
            "numbers": dict(self._numbers),
            "passages": [[*key, *passage] for key, passage in self._passages.items()],
            "size": self._size,
            "memory": self._memory.state(),
            "columns": self._columns.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state, `offset` s later."""
        try:
            self._counts.update({(n, d, label): int(k) for n, d, label, k in state["counts"]})
            self._numbers.update({name: int(count) for name, count in state["numbers"].items()})
            for line, track, time, frame, box, at in state["passages"]:
                x1, y1, x2, y2 = box
                passage = Passage(time + offset, frame, (x1, y1, x2, y2), (at[0], at[1]))
                self._passages[line, track] = passage
            if state["size"] is not None:
                width, height = state["size"]
                self._resize(width, height)
            self._memory.restore(state["memory"], offset)
            self._columns.restore(state["columns"], self._memory)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError("not a state of the analyzer lines") from error
        self._measures = None

    def reset_counts(self) -> None:
        """Start all counts from zero."""
        self._counts = Counter(dict.fromkeys(self._counts, 0))
        self._measures = None

    def shapes(self) -> list[Shape]:
        """The lines with their counts so far."""
        if self._size is None:
            return []
        return [
            Shape(
                "path",
                self._points[n].astype(np.float32),
                caption=self._caption(line.name),
                rule=line.name,
                inward="right" if line.right_is_in else "left",
            )
            for n, line in enumerate(self._lines)
        ]

    def _caption(self, name: str) -> str:
        totals = {"in": 0, "out": 0}
        for (line, direction, _), count in self._counts.items():
            if line == name:
                totals[direction] += count
        return f"{name} in {totals['in']} out {totals['out']}"

    def _fit(self, result: Result) -> None:
        """Convert the lines to px of the frames, whose size may change."""
        size = result.frame.width, result.frame.height
        if result.labels != self._labels:
            self._scene.check_labels(result.labels)
            self._labels = result.labels
        if size == self._size:
            return
        if self._size is None:
            self._scene.check_size(*size)
        self._passages.clear()
        self._resize(*size)

    def _resize(self, width: int, height: int) -> None:
        self._size = size = width, height
        self._memory = shared_memory(self._shared, self._join_within, size)
        self._columns.clear()
        self._place(*size)

    def _place(self, width: int, height: int) -> None:
        """Find the positions of the lines in images, px."""
        size = width, height
        self._heights = np.array([[ANCHOR_HEIGHTS[line.anchor]] for line in self._lines])
        self._points = np.array([line.outline.pixels(*size) for line in self._lines])
        self._normals = np.array([right_normal(*points) for points in self._points])
        self._offsets = (self._normals * self._points[:, 0]).sum(axis=1, keepdims=True)
        self._directions = self._normals[:, :1], self._normals[:, 1:]
        extended = [beyond_edges(points, *size) for points in self._points]
        self._ends = [tuple(map(tuple, points.tolist())) for points in extended]

    def _advance(self, result: Result) -> list[Event]:
        """Follow all tracks relative to all lines (L,); nothing changes for those without a box."""
        columns, memory = self._columns, self._memory
        distance = self._distances(memory.new_paths)
        right = distance >= 0
        passed = right != (columns["distance"] >= 0)
        events: list[Event] = []
        if np.count_nonzero(passed | columns["open"]) or self._explain:
            present = memory.new_time == result.frame.time
            passed &= present & ~np.isnan(columns["distance"])  # nan if there was no anchor
            if passed.any():
                self._pass(passed, distance, right, result)
            events = self._settle(distance, right, present, result)
        columns["distance"] = distance
        return events

    def _settle(
        self, distance: Floats, right: Bools, present: Bools, result: Result
    ) -> list[Event]:
        """Find the sides that are known now, and what has crossed since they were known before."""
        columns, memory = self._columns, self._memory
        known = (np.abs(distance) > self._bands(memory.new_paths)) & present
        if not self._explain:
            known &= columns["open"]
            if not np.count_nonzero(known):
                return []
        side = np.where(right, np.int8(1), np.int8(-1))
        changed = known & (side != columns["side"])
        events: list[Event] = []
        if changed.any():
            # Where an object turns, its smoothed path goes on for a moment: the box must agree.
            boxes = memory.new_boxes
            agreed = side * self._distances(boxes) > self._bands(boxes)
            known, changed = known & (agreed | ~changed), changed & agreed
            events = self._change(changed, side, result)
        if self._explain:
            self._explain_returns(known & ~changed, result)
            near = ~known & self._beside(memory.new_paths)
            columns["near"] = np.where(present, near, columns["near"])
        closed = known & columns["open"]
        if np.count_nonzero(closed):
            columns["side"][closed] = side[closed]
            for name in ("net", "joined", "open"):
                columns[name][closed] = 0
        return events

    def _distances(self, boxes: Floats) -> Floats:
        """Distances (L,R) of the anchors of boxes (R,4), px; positive to the right."""
        x1, y1, x2, y2 = boxes.T
        nx, ny = self._directions
        x, y = (x1 + x2) / 2, y1 + self._heights * np.maximum(y2 - y1, 0.0)
        return np.asarray(nx * x + ny * y - self._offsets)

    def _bands(self, boxes: Floats) -> Floats:
        """Half the widths (R,) of the dead bands for boxes (R,4), px."""
        return np.asarray(self._dead_band * np.maximum(boxes[:, 2] - boxes[:, 0], 0.0))

    def _pass(
        self,
        passed: Bools,
        distance: Floats,
        right: Bools,
        result: Result,
    ) -> None:
        """Note where steps (L,R) passed lines or their extensions."""
        memory, columns = self._memory, self._columns
        for line, row in np.argwhere(passed).tolist():
            before, after = float(columns["distance"][line, row]), float(distance[line, row])
            part = before / (before - after)
            old, new = memory.paths[row], memory.new_paths[row]
            columns["open"][line, row] = True
            start, end = self._anchor(line, old), self._anchor(line, new)
            box = old + part * (new - old)
            index = int(memory.frame[row])
            self._passages[line, int(memory.ids[row])] = Passage(
                float(memory.time[row]) + part * (result.frame.time - float(memory.time[row])),
                index + round(part * (result.frame.index - index)),
                (float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                self._anchor(line, box),
            )
            if passes_between(start, end, *self._ends[line]):
                columns["net"][line, row] += 1 if right[line, row] else -1

    def _anchor(self, line: int, box: Floats) -> tuple[float, float]:
        x1, y1, x2, y2 = box.tolist()
        return (x1 + x2) / 2, y1 + float(self._heights[line, 0]) * (y2 - y1)

    def _change(
        self,
        changed: Bools,
        side: npt.NDArray[np.int8],
        result: Result,
    ) -> list[Event]:
        """The crossings among changes (L,R) of known sides."""
        columns = self._columns
        events: list[Event] = []
        passed: list[tuple[Passage, int, int, str]] = []
        for line, row in np.argwhere(changed).tolist():
            to = int(side[line, row])
            before, net = int(columns["side"][line, row]), int(columns["net"][line, row])
            passage = self._passages.pop((line, int(self._memory.ids[row])), None)
            if before == 0:
                if columns["near"][line, row]:
                    self._tell(line, row, result, "not counted: its track began on the line")
            elif net * to <= 0 or passage is None:
                if passage is not None and self._is_near_end(line, passage):
                    self._tell(line, row, result, "not counted: it passed beyond the end")
            else:
                rule = self._lines[line]
                label = self._memory.label(row, result)
                if rule.labels is not None and label not in rule.labels:
                    self._tell(line, row, result, f"not counted: label {label!r} is not counted")
                    continue
                direction = "in" if (to > 0) == rule.right_is_in else "out"
                passed.append((passage, line, row, direction))
        # Not by the order of the tracks, which means nothing.
        for passage, line, row, direction in sorted(passed, key=lambda p: (p[1], p[0], p[3])):
            events.append(self._event(passage, line, row, direction, result))
        return sorted(events, key=lambda event: event.time)

    def _event(
        self, passage: Passage, line: int, row: int, direction: str, result: Result
    ) -> Event:
        name, frame = self._lines[line].name, result.frame
        joined = bool(self._columns["joined"][line, row])
        label = self._memory.label(row, result)
        time = max(passage.time, frame.time - MAX_DELAY_S)
        self._counts[name, direction, label] += 1
        self._measures = None
        self._numbers[name] += 1
        self._tell(line, row, result, f"counted: {direction}{', joined' if joined else ''}")
        return Event(
            id=f"{frame.stream}/{name}/{self._numbers[name]}",
            kind=CROSSED,
            phase="point",
            stream=frame.stream,
            rule=name,
            time=time,
            frame=passage.frame,
            track=int(self._memory.ids[row]),
            label=label,
            box=passage.box,
            at=passage.at,
            data={"direction": direction, "joined": joined, "delay": frame.time - time},
        )

    def _take_over(self) -> None:
        """Let tracks that continue others continue their passages too."""
        ids, columns = self._memory.ids, self._columns
        for old, new in self._memory.joins:
            columns["joined"][:, new] = columns["open"][:, new] = True
            for line in range(len(self._lines)):
                passage = self._passages.get((line, int(ids[old])))
                if passage is not None:
                    self._passages[line, int(ids[new])] = passage

    def _drop_passages(self) -> None:
        """Forget passages of tracks that are forgotten."""
        kept = set(self._memory.ids.tolist())
        self._passages = {key: p for key, p in self._passages.items() if key[1] in kept}

    def _is_near_end(self, line: int, passage: Passage) -> bool:
        """Whether a path passed an end of the line within the size of its box."""
        x1, y1, x2, y2 = passage.box
        nearest = min(np.hypot(*np.subtract(passage.at, end)) for end in self._ends[line])
        return bool(nearest <= max(x2 - x1, y2 - y1))

    def _beside(self, boxes: Floats) -> Bools:
        """Which anchors (L,N) of boxes (N,4) are beside the line, and not beyond its ends."""
        start, end = self._points[:, 0], self._points[:, 1]
        along = end - start
        x1, y1, x2, y2 = boxes.T
        x, y = (x1 + x2) / 2, y1 + self._heights * (y2 - y1)
        part = (x - start[:, :1]) * along[:, :1] + (y - start[:, 1:]) * along[:, 1:]
        return np.asarray((part >= 0) & (part <= (along**2).sum(axis=1, keepdims=True)))

    def _explain_returns(self, same_side: Bools, result: Result) -> None:
        """Explain paths (L,R) that left the dead band where they had entered it."""
        for line, row in np.argwhere(same_side & self._columns["near"]).tolist():
            self._tell(line, row, result, "not counted: it turned back")

    def _explain_ended(self, result: Result, after: float) -> None:
        """Explain tracks that ended in the dead band `after` s ago or more."""
        near = self._columns["near"]
        for row in self._memory.lost(result.frame.time, after):
            for line in np.flatnonzero(near[:, row]).tolist():
                self._tell(line, row, result, "not counted: its track ended on the line")
                near[line, row] = False

    def _tell(self, line: int, row: int, result: Result, what: str) -> None:
        if self._explain:
            memory = self._memory
            log.info(
                "line %s: track %d (%s) at %.2f s: %s",
                self._lines[line].name,
                memory.ids[row],
                memory.label(row, result),
                memory.time[row],
                what,
            )
