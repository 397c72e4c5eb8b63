"""`vidan smooth`: tracks of a file, where the future is known: gaps filled, paths smoothed.

Between two boxes of a track that are not too far apart in time, boxes are put in on a straight
line, as ByteTrack's release does. The whole is then smoothed, as in StrongSORT (arXiv
2202.13514, section 3.4), here by local parabolas (Savitzky and Golay 1964), which unlike an
average drag neither ends nor turns behind.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from omegaconf import DictConfig
from scipy.signal import savgol_filter

from vidan import options
from vidan.cli.terminal import console
from vidan.config.compose import compose
from vidan.errors import SinkError, SourceError

from ...formats.mot import BOX, read_lines

Array = npt.NDArray[np.float64]

COLUMNS = 10
"""Of a line of tracks: frame, id, x, y, width, height, score and three that say nothing."""

DEGREE = 2
"""Of the curve that a track is locally taken for: constant acceleration."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Smoothing:
    """How tracks are smoothed.

    Attributes:
        gap: gaps of at most this long are filled, s; 0: none.
        window: a box is smoothed by those of this time around it, s; 0: not at all.
    """

    gap: float
    window: float

    @classmethod
    def of(cls, config: DictConfig) -> Smoothing:
        """What the keys `gap` and `window` say.

        Raises:
            ConfigError: a value that cannot be used.
        """
        return cls(
            options.number("gap", config.gap, 0.0), options.number("window", config.window, 0.0)
        )

    def file(self, path: Path, out: Path, rate: float) -> tuple[int, int]:
        """Read tracks in MOTChallenge's text format, and write them smoothed.

        Args:
            path: of the file to read.
            out: of the file to write.
            rate: frames per second.

        Returns:
            How many boxes there were, and how many there are now.

        Raises:
            SourceError: the file cannot be read, or is not in that format.
            SinkError: the other cannot be written.
        """
        rows = read(path)
        made = smooth(rows, round(self.gap * rate), round(self.window * rate))
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            np.savetxt(out, made, fmt="%d,%d,%.2f,%.2f,%.2f,%.2f,%.4f,%g,%g,%g")
        except OSError as error:
            raise SinkError(f"cannot write {str(out)!r}: {error.strerror}") from error
        return len(rows), len(made)


def smoothing(arguments: Sequence[str]) -> int:
    """Smooth the files that the overrides name: `tracks=`, and any key of `conf/smooth.yaml`."""
    config = compose(arguments, "smooth")
    how, rate = Smoothing.of(config), options.positive("rate", config.rate)
    path = options.path("tracks", config.tracks)
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise SourceError(f"tracks={str(path)!r}: there is no file .txt in that folder")
    default = path.with_name(f"{path.stem}-smooth{path.suffix}")
    out = default if config.out is None else options.path("out", config.out)
    if out.resolve() == path.resolve():
        raise SinkError(f"out={str(out)!r} would replace what is read: choose another")
    for file in files:
        before, after = how.file(file, out / file.name if path.is_dir() else out, rate)
        log.info("%s: %d boxes, %d put in", file.name, before, after - before)
    console().print(f"in {out}: tracks with gaps filled, smoothed")
    return 0


def read(path: Path) -> Array:
    """The lines of a file of tracks: (N,10), by frame; -1 where a line is shorter.

    Raises:
        SourceError: the file cannot be read, or is not in that format.
    """
    lines = read_lines(path, "tracks")
    rows = np.array([_row(f"{path}:{n}", line) for n, line in lines]).reshape(-1, COLUMNS)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    twice = (rows[1:, :2] == rows[:-1, :2]).all(axis=1)
    if twice.any():
        frame, track = rows[int(np.flatnonzero(twice)[0]), :2]
        raise SourceError(f"{path}: track {track:g} has two boxes in frame {frame:g}")
    return np.asarray(rows)


def _row(where: str, line: str) -> list[float]:
    try:
        values = [float(value) for value in line.split(",")[:COLUMNS]]
    except ValueError:
        values = []
    whole = len(values) >= BOX.stop and bool(np.isfinite(values).all())
    if not whole or values[0] < 1 or values[0] % 1 or values[1] % 1 or min(values[4:6]) < 0:
        raise SourceError(
            f"{where}: {line[:60]!r} is no track: expected frame,id,left,top,width,height,..."
        )
    return values + [-1.0] * (COLUMNS - len(values))


def smooth(rows: Array, gap: int, window: int) -> Array:
    """Fill the gaps of tracks and smooth them; no track is joined with another.

    Args:
        rows: (N,10), as of `read`, each track once a frame.
        gap: boxes are put in where at most this many frames in a row are missing; 0: nowhere.
        window: a box is smoothed by those of this many frames around it; 0: not at all.

    Returns:
        (M,10), by frame, then id; M at least N. What is not of the box is that of the box before.
    """
    if len(rows) == 0:
        return rows
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1]))]
    apart = (np.diff(rows[:, 1]) != 0) | (np.diff(rows[:, 0]) > gap + 1)
    parts = np.split(rows, np.flatnonzero(apart) + 1)
    made = np.concatenate([_smoothed(_filled(part), window) for part in parts])
    return np.asarray(made[np.lexsort((made[:, 1], made[:, 0]))])


def _filled(rows: Array) -> Array:
    """A track (N,10) with a box in every frame from its first to its last."""
    frames = np.arange(rows[0, 0], rows[-1, 0] + 1)
    before = np.searchsorted(rows[:, 0], frames, side="right") - 1
    made = rows[before]
    made[:, 0] = frames
    for column in range(BOX.start, BOX.stop):
        made[:, column] = np.interp(frames, rows[:, 0], rows[:, column])
    return np.asarray(made)


def _smoothed(rows: Array, window: int) -> Array:
    """A track (N,10) without gaps, smoothed; a shorter one by as much as it has."""
    width = min(window, len(rows))
    width -= 1 - width % 2  # it has a middle
    if width > DEGREE + 1:
        rows[:, BOX] = savgol_filter(rows[:, BOX], width, DEGREE, axis=0)
        rows[:, 4:6] = np.maximum(rows[:, 4:6], 0.0)
    return rows
