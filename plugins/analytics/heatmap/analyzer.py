"""Where objects have been, and for how long."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.errors import SinkError, SourceError
from vidan.events import Event
from vidan.frames import Frame
from vidan.geometry import Anchor, anchor_points
from vidan.support.replace import replaced
from vidan.types import Image, Result

from ..anchors import anchors_visible
from ..columns import Columns
from ..stitching import Rows, TrackMemory

log = logging.getLogger(__name__)

ARRAYS_EVERY_S, IMAGE_EVERY_S = 10.0, 60.0
"""Intervals of stream time at which the files are written, s."""

HOLD = 0.75
"""Distance from the center of its cell, in cells, at which an object is in another cell."""

UNKNOWN = -1e9
"""Place of a track that is not known; finite, for JSON."""

CELL = ("row", "column")
PLACE = ("y", "x")

COLUMNS: dict[str, tuple[Any, Any]] = {
    **dict.fromkeys(CELL, (np.int64, -1)),
    **dict.fromkeys(PLACE, (np.float64, UNKNOWN)),
}
"""The cell that each track was in, and where in the grid exactly; `UNKNOWN` if not known."""

Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]


class Heatmap:
    """Adds up how long objects are in each cell of a grid, and how often they come.

    The time from one box of a track to the next counts for the cells on the way. An object is in
    another cell when it is 0.75 cells from the center of the last one, so that noise at a border
    between two cells is no movement. While its box is cut off by the border of the image, where it
    is is not known.

    Writes two files when the stream ends, and until then the first every 10 s and the second every
    minute; each replaces the one before when it is complete. `<path>.npz` has these arrays, for L
    labels and a grid of R rows and C columns:

    - `presence` (L,R,C) float64: time of all objects in the cell, s.
    - `visits` (L,R,C) int64: how often an object came to the cell.
    - `dwell` (L,R,C) float64: mean time of a visit, s; NaN without visits.
    - `labels` (L,) str; `size` (2,) int64: width and height of the images, px.
    - `seconds` float64: duration of the stream so far.
    - `still` (N,) uint8: the last frame as a JPEG file, at most 960 px wide; empty if it has no
      image.

    `<path>.png` shows the presence of all labels over the last frame.

    Args:
        path: of the files, without suffix.
        columns: number of columns of the grid; cells are as high as wide.
        anchor: the point of a box that is in a cell.
        max_gap: longest time between two detections for which an object was in between, s.
        join_within: longest time between a track and the one that continues it, s; 0 to join none.

    Raises:
        SinkError: the folder cannot be made or, at the end, a file cannot be written.
    """

    def __init__(
        self,
        path: str,
        columns: Annotated[int, Meta(ge=1, le=1000)] = 64,
        anchor: Anchor = "bottom",
        max_gap: Annotated[float, Meta(gt=0)] = 1.0,
        join_within: Annotated[float, Meta(ge=0, le=1)] = 1.0,
    ) -> None:
        self._path, self._anchor, self._max_gap = Path(path), anchor, max_gap
        self._grid = (0, columns)  # rows and columns
        self._join_within = join_within
        self._memory = TrackMemory(join_within)
        self._tracks = Columns(COLUMNS, 1)
        self._presence: dict[str, Floats] = {}  # (R,C) by label
        self._visits: dict[str, Cells] = {}
        self._seconds, self._written, self._painted = 0.0, 0.0, 0.0
        self._last: Frame | None = None
        self._outputs: list[str] = []
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _write_error(self._path.parent, error) from error

    def update(self, result: Result) -> list[Event]:
        """None; the result is added to the map."""
        frame, last = result.frame, self._last
        if last is not None and (frame.width, frame.height) != (last.width, last.height):
            self._memory = TrackMemory(self._join_within)
            self._tracks.clear()
        if not self._grid[0]:
            columns = self._grid[1]
            self._grid = (max(round(columns * frame.height / frame.width), 1), columns)
        if last is None:
            self._written = self._painted = frame.time
        elif 0 < frame.time - last.time <= self._max_gap:
            self._seconds += frame.time - last.time
        self._last = frame
        result = self._memory.distinct(result)
        rows = self._memory.update(result)
        self._tracks.follow(self._memory)
        if len(rows):
            before = self._memory.time[rows]
            self._memory.settle()
            self._add(rows, result.frame.time - before, result)
        if abs(frame.time - self._written) >= ARRAYS_EVERY_S:
            try:
                self._write_due(frame)
            except SinkError as error:
                log.warning("heatmap: %s", error)
        return []

    def finish(self) -> list[Event]:
        """None; the files are written."""
        if self._last is not None:
            self._outputs = [self._write_arrays(self._last), self._write_image(self._last)]
        return []

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return {
            "grid": list(self._grid),
            "seconds": self._seconds,
            "presence": {name: grid.tolist() for name, grid in self._presence.items()},
            "visits": {name: grid.tolist() for name, grid in self._visits.items()},
            "memory": self._memory.state(),
            "tracks": self._tracks.state(),
        }

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state, `offset` s later."""
        try:
            rows, columns = (int(count) for count in state["grid"])
            if columns != self._grid[1]:
                raise ValueError(f"columns={self._grid[1]}: the state has {columns}")
            self._grid, self._seconds = (rows, columns), float(state["seconds"])
            for name, grid in state["presence"].items():
                presence, visits = self._grids(name)
                presence[:], visits[:] = grid, state["visits"][name]
            self._memory.restore(state["memory"], offset)
            self._tracks.restore(state["tracks"], self._memory)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a state of this heatmap: {error}") from error

    def reset_counts(self) -> None:
        """Start all cells from zero."""
        self._seconds = 0.0
        for grid in (*self._presence.values(), *self._visits.values()):
            grid[:] = 0

    @property
    def outputs(self) -> list[str]:
        """The paths of the files."""
        return self._outputs

    def _add(self, rows: Rows, seconds: Floats, result: Result) -> None:
        """Add the time since the last box of each track (N,) to the cells where it was."""
        frame, columns = result.frame, self._tracks
        anchors = anchor_points(result.tracks.boxes, self._anchor)[:, ::-1]
        places = anchors / [frame.height, frame.width] * self._grid
        before, held = (np.stack([columns[n][0, rows] for n in pair], 1) for pair in (PLACE, CELL))
        visible = anchors_visible(result, self._anchor)
        known = visible & (seconds >= 0) & (seconds <= self._max_gap) & (before[:, 0] > UNKNOWN)
        stays = known & (np.abs(places - held - 0.5) <= HOLD).all(axis=1)
        cells = np.where(stays[:, None], held, self._cells(places))
        for n, name in enumerate(CELL):
            columns[name][0, rows] = cells[:, n]
            columns[PLACE[n]][0, rows] = np.where(visible, places[:, n], UNKNOWN)
        classes = self._memory.classes(rows)
        for number in np.unique(classes[visible]).tolist():
            presence, visits = self._grids(result.label(number))
            same = stays & (classes == number)
            np.add.at(presence, tuple(cells[same].T), seconds[same])
            for n in np.flatnonzero(visible & ~stays & (classes == number)).tolist():
                path = cells[n : n + 1]
                if known[n]:
                    path = self._between(before[n], places[n])
                    np.add.at(presence, tuple(path.T), seconds[n] / len(path))
                    path = np.concatenate([held[n : n + 1], path, cells[n : n + 1]])
                    path = path[1:][(path[1:] != path[:-1]).any(axis=1)]
                np.add.at(visits, tuple(path.T), 1)

    def _cells(self, places: Floats) -> Cells:
        """The cells (N,2) of places (N,2), rows and columns."""
        return np.clip(np.floor(places), 0, np.subtract(self._grid, 1)).astype(np.int64)

    def _between(self, before: Floats, place: Floats) -> Cells:
        """The cells (K,2) along a straight line, at equal distances."""
        count = int(np.ceil(2 * np.abs(place - before).max())) or 1
        parts = (np.arange(count) + 0.5) / count
        return self._cells(before + parts[:, None] * (place - before))

    def _grids(self, label: str) -> tuple[Floats, Cells]:
        """Presence and visits (R,C) of a label."""
        if label not in self._presence:
            self._presence[label] = np.zeros(self._grid)
            self._visits[label] = np.zeros(self._grid, np.int64)
        return self._presence[label], self._visits[label]

    def _write_due(self, frame: Frame) -> None:
        """Replace the arrays, and the image once per minute."""
        self._written = frame.time
        self._write_arrays(frame)
        if abs(frame.time - self._painted) >= IMAGE_EVERY_S:
            self._painted = frame.time
            self._write_image(frame)

    def _write_arrays(self, frame: Frame) -> str:
        """Replace `<path>.npz`; returns its path."""
        from ...formats.heatmap import still_jpeg  # the only part that needs an image library

        still = b"" if (image := _image(frame)) is None else still_jpeg(image)
        labels = sorted(self._presence)
        presence = np.array([self._presence[n] for n in labels]).reshape(-1, *self._grid)
        visits = np.array([self._visits[n] for n in labels], np.int64).reshape(-1, *self._grid)
        arrays = io.BytesIO()
        np.savez_compressed(
            arrays,
            presence=presence,
            visits=visits,
            dwell=np.divide(presence, visits, out=np.full_like(presence, np.nan), where=visits > 0),
            labels=np.array(labels, str),
            size=np.array([frame.width, frame.height]),
            seconds=np.array(self._seconds),
            still=np.frombuffer(still, np.uint8),
        )
        return _replace(self._path.with_name(f"{self._path.name}.npz"), arrays.getvalue())

    def _write_image(self, frame: Frame) -> str:
        """Replace `<path>.png`; returns its path."""
        from ...formats.heatmap import heatmap_png

        image = _image(frame)
        if image is None:
            image = np.zeros((frame.height, frame.width, 3), np.uint8)
        presence = sum(self._presence.values(), start=np.zeros(self._grid))
        path = self._path.with_name(f"{self._path.name}.png")
        return _replace(path, heatmap_png(image, presence))


def _image(frame: Frame) -> Image | None:
    """The image of a frame (H,W,3); None if it has none."""
    try:
        return frame.rgb()
    except SourceError:  # tracks from a file
        return None


def _replace(path: Path, data: bytes) -> str:
    """Write a file under another name, then give it its own.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        with replaced(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise _write_error(path, error) from error
    return str(path)


def _write_error(path: Path, error: OSError) -> SinkError:
    return SinkError(
        f"cannot write {str(path)!r}: {error.strerror or error}; "
        "free disk space or choose another path"
    )
