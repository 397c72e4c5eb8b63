"""`vidan smooth`: offline post-processing of tracks, which fills gaps and smooths paths.

Gaps in a track that are short enough are filled by linear interpolation, as ByteTrack's release
does. Tracks are then smoothed, as in StrongSORT (arXiv 2202.13514, section 3.4), here by local
parabolas (Savitzky and Golay 1964), which do not shift ends and turns as an average does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from scipy.signal import savgol_filter

from vidan import options
from vidan.cli.terminal import console
from vidan.config.compose import compose
from vidan.errors import SinkError, SourceError

from ...formats.mot import BOX, FRAME, ID, Array, read_tracks, write_tracks

DEGREE = 2
"""Degree of the local polynomial: constant acceleration."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Smoothing:
    """Settings of the post-processing.

    Attributes:
        gap: gaps of at most this long are filled, s; 0: none.
        window: length of the smoothing window, s; 0: no smoothing.
    """

    gap: float
    window: float

    @classmethod
    def from_config(cls, config: DictConfig) -> Smoothing:
        """The keys `gap` and `window` of a configuration.

        Raises:
            ConfigError: a value is invalid.
        """
        return cls(
            options.number("gap", config.gap, 0.0), options.number("window", config.window, 0.0)
        )

    def process_file(self, path: Path, out: Path, rate: float) -> tuple[int, int]:
        """Read tracks in MOTChallenge's text format, and write them smoothed.

        Args:
            path: of the file to read.
            out: of the file to write.
            rate: frames per second.

        Returns:
            Number of boxes read, and number of boxes written.

        Raises:
            SourceError: the file cannot be read, or is not in that format.
            SinkError: the other file cannot be written.
        """
        rows = read_tracks(path)
        smoothed = smooth(rows, round(self.gap * rate), round(self.window * rate))
        write_tracks(out, smoothed)
        return len(rows), len(smoothed)


def run(arguments: Sequence[str]) -> int:
    """Smooth the files that the overrides name: `tracks=`, and any key of `conf/smooth.yaml`."""
    config = compose(arguments, "smooth")
    smoothing, rate = Smoothing.from_config(config), options.positive("rate", config.rate)
    path = options.path("tracks", config.tracks)
    files = sorted(path.glob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise SourceError(f"tracks={str(path)!r}: there is no .txt file in that folder")
    default = path.with_name(f"{path.stem}-smooth{path.suffix}")
    out = default if config.out is None else options.path("out", config.out)
    if out.resolve() == path.resolve():
        raise SinkError(f"out={str(out)!r} would overwrite the input: choose another path")
    for file in files:
        target = out / file.name if path.is_dir() else out
        before, after = smoothing.process_file(file, target, rate)
        log.info("%s: %d boxes, %d added", file.name, before, after - before)
    console().print(f"smoothed tracks: {out}")
    return 0


def smooth(rows: Array, gap: int, window: int) -> Array:
    """Fill the gaps of tracks and smooth them; tracks are not joined.

    Args:
        rows: (N,10), as `read_tracks` returns them: at most one box per track and frame.
        gap: largest number of consecutive missing frames to fill; 0: none.
        window: number of frames in the smoothing window; 0: no smoothing.

    Returns:
        (M,10), by frame, then id; M at least N. Columns other than the box are copied from the
        previous box.
    """
    if len(rows) == 0:
        return rows
    rows = rows[np.lexsort((rows[:, FRAME], rows[:, ID]))]
    breaks = (np.diff(rows[:, ID]) != 0) | (np.diff(rows[:, FRAME]) > gap + 1)
    parts = np.split(rows, np.flatnonzero(breaks) + 1)
    smoothed = np.concatenate([_smoothed(_filled(part), window) for part in parts])
    return np.asarray(smoothed[np.lexsort((smoothed[:, ID], smoothed[:, FRAME]))])


def _filled(rows: Array) -> Array:
    """A track (N,10) with a box in every frame from its first to its last."""
    frames = np.arange(rows[0, FRAME], rows[-1, FRAME] + 1)
    before = np.searchsorted(rows[:, FRAME], frames, side="right") - 1
    filled = rows[before]
    filled[:, FRAME] = frames
    for column in range(BOX.start, BOX.stop):
        filled[:, column] = np.interp(frames, rows[:, FRAME], rows[:, column])
    return np.asarray(filled)


def _smoothed(rows: Array, window: int) -> Array:
    """A track (N,10) without gaps, smoothed; the window shrinks for a shorter track."""
    width = min(window, len(rows))
    width -= 1 - width % 2  # an odd number has a center
    if width > DEGREE + 1:
        rows[:, BOX] = savgol_filter(rows[:, BOX], width, DEGREE, axis=0)
        rows[:, 4:6] = np.maximum(rows[:, 4:6], 0.0)
    return rows
