"""Motion in the images of a stream, and which frames are detected because of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from ..errors import ConfigError
from ..frames import Frame, RetimedFrame

CELLS = 160
"""Cells along the longer side of an image, at most: squares whose mean brightness is compared, to
average out most noise. In an image of 1280x720, people of 20x50 px have 15 of them."""

ROWS = 4
"""Rows of pixels of a cell that are read, which is its side in an image of up to 640 px."""

MEMORY_S = 1.0
"""Time constant of the running mean that images are compared with, s: light that changes slowly
changes the mean too, and an object that stops becomes part of it."""

MIN_CHANGED = 3
"""Cells that change, at least, where something moves."""

NOISE_FACTOR = 6.0
"""Changes up to this many standard deviations of the noise are noise."""

MAX_NOISE_LIMIT = 3.0
"""Largest factor by which noise raises the threshold: if everything moves, that is no noise."""

QUIET = 0.25
"""Fraction of an image that is quiet, at least, and shows the noise."""

QUIET_DEVIATION = 0.3186
"""Quantile QUIET of the deviations of a normal distribution, in standard deviations."""

CHECK_FRAMES = 4
"""Frames that are detected in turn while nothing moves: enough for a tracker to confirm an object
that has come unnoticed."""

Cells = npt.NDArray[np.float32]

Fraction = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """The settings `detector.motion`.

    Attributes:
        threshold: gray levels, of 255, by which a part of the image changes at least.
        hold: how long frames are still detected after the last motion, s.
        still_interval: longest time without a detection, s.
        ignore: parts of the image in which motion does not count, such as a clock: left, top,
            right and bottom of each, as fractions.

    Raises:
        ConfigError: a part is not a rectangle.
    """

    threshold: Annotated[float, Meta(gt=0, le=255)] = 8.0
    hold: Annotated[float, Meta(ge=0)] = 1.0
    still_interval: Annotated[float, Meta(gt=0)] = 10.0
    ignore: Sequence[Sequence[Fraction]] = ()

    def __post_init__(self) -> None:
        for part in self.ignore:
            if len(part) != 4 or part[0] >= part[2] or part[1] >= part[3]:
                raise ConfigError(
                    f"detector.motion.ignore: {list(part)!r} is no part of the image: expected "
                    "left, top, right, bottom, from 0 to 1, such as [0,0,0.3,0.06]"
                )


class MotionMeter:
    """Compares images with a running mean of those before.

    A cell has changed if it differs from the mean of each cell around it, so that a camera that
    shakes by less than a cell changes none. A change of the brightness as a whole does not count.

    Args:
        settings: the `threshold`, which is up to MAX_NOISE_LIMIT times as high in a noisy image,
            and what to `ignore`.
    """

    def __init__(self, settings: MotionSettings) -> None:
        self._threshold = settings.threshold
        self._ignore = settings.ignore
        self._mean: Cells | None = None
        self._time = 0.0

    def moves(self, frame: Frame) -> bool:
        """Whether something moves in a frame; true where there is nothing to compare it with.

        Called once for each frame, in order.
        """
        cells = _brightness(frame)
        elapsed, self._time = frame.time - self._time, frame.time
        if self._mean is None or self._mean.shape != cells.shape or elapsed < 0:
            self._mean = cells
            return True
        change = cells - self._mean
        sample = change[::3, ::3]
        brighter = np.median(sample)
        noise = np.quantile(np.abs(sample - brighter), QUIET) / QUIET_DEVIATION
        limit = np.clip(NOISE_FACTOR * noise, self._threshold, MAX_NOISE_LIMIT * self._threshold)
        darkest, brightest = _around(self._mean)
        cells -= brighter
        changed = (cells > brightest + limit) | (cells < darkest - limit)
        self._mean += np.float32(-np.expm1(-elapsed / MEMORY_S)) * change
        for part in self._ignore:
            changed[_inside(part, changed.shape)] = False
        return bool(np.count_nonzero(changed) >= min(MIN_CHANGED, changed.size))


class MotionSelector:
    """Selects the frames that are detected: those in motion, and now and then one of the others.

    Args:
        settings: how long after the last motion frames are detected, and how often without.
    """

    def __init__(self, settings: MotionSettings) -> None:
        self._settings = settings
        self._moves = True
        self._moved = self._detected = 0.0  # stream time of the last motion, and detection, s
        self._checks = 0  # frames left of the current check

    def note(self, *, moves: bool) -> None:
        """Take note of whether something moves in the next frame."""
        self._moves |= moves

    def selects(self, frame: Frame) -> bool:
        """Whether to detect a frame: something has moved since the last call, or not long ago."""
        now = frame.time
        if self._moves or now < self._moved:  # the clock was set back
            self._moves, self._moved, self._checks = False, now, 0
        elif now - self._moved > self._settings.hold and not self._checks:
            if now - self._detected < self._settings.still_interval:
                return False
            self._checks = CHECK_FRAMES
        self._checks = max(self._checks - 1, 0)
        self._detected = now
        return True


class TrackerClock:
    """Frames with the time that a tracker is to see: it stands still while nothing moves.

    Tracks are then as old, as uncertain and as fast as if the frames without motion did not exist.

    Attributes:
        time: stream time without the time in which nothing moved, s.
    """

    def __init__(self) -> None:
        self.time = 0.0
        self._left_out = 0, 0.0  # frames and s
        self._last: tuple[int, float] | None = None  # index and time of the last frame

    def stop(self, frame: Frame) -> None:
        """Leave out the time from the last frame to this one."""
        if self._last is not None:
            frames, seconds = self._left_out
            index, time = self._last
            self._left_out = frames + frame.index - index, seconds + frame.time - time
        self._last = frame.index, frame.time

    def follow(self, frame: Frame) -> Frame:
        """The frame with the index and time that a tracker is to see."""
        self._last = frame.index, frame.time
        frames, seconds = self._left_out
        self.time = frame.time - seconds
        return RetimedFrame(frame, frame.index - frames, self.time) if frames else frame


def _around(cells: Cells) -> tuple[Cells, Cells]:
    """The smallest and the largest value among each cell (H,W) and its neighbors.

    Infinite at the edges, since nothing is known of what is outside of the image.
    """
    import cv2  # here, so that `import vidan` loads no image library

    square, outside = np.ones((3, 3), np.uint8), cv2.BORDER_CONSTANT
    darkest = cv2.erode(cells, square, borderType=outside, borderValue=-math.inf)
    brightest = cv2.dilate(cells, square, borderType=outside, borderValue=math.inf)
    return np.asarray(darkest, np.float32), np.asarray(brightest, np.float32)


def _inside(part: Sequence[float], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The cells of an array of a shape (H,W) that touch a part of the image, in fractions."""
    height, width = shape
    left, top, right, bottom = part
    rows = slice(math.floor(top * height), math.ceil(bottom * height))
    return rows, slice(math.floor(left * width), math.ceil(right * width))


def _brightness(frame: Frame) -> Cells:
    """The brightness of the cells of a frame (H,W), from the decoder's luma if it has that."""
    import cv2  # here, so that `import vidan` loads no image library

    step = -(-max(frame.width, frame.height) // (ROWS * CELLS))
    cell = ROWS * step
    width, height = max(1, frame.width // cell), max(1, frame.height // cell)
    planes = frame.yuv()
    if planes is None:
        small = cv2.cvtColor(frame.resized(width, height), cv2.COLOR_RGB2GRAY)
    else:  # whole cells only, which is several times as fast
        luma = planes.y[: height * cell : step, : width * cell]
        small = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
