"""Decides whether the newest frame of a live source is detected, or the next one."""

from __future__ import annotations

from ..types import Frame

DUE_SOON = 0.8
"""The next frame is due soon once the current one is this many frame intervals old."""

LATE_AFTER_INTERVALS = 1.1
"""Stop waiting once the current frame is this many frame intervals old."""

SLOW_DETECTOR_INTERVALS = 1.1
"""A detector that takes this many frame intervals cannot keep up. One that takes only slightly
more than one almost can, and waiting would cost it the most frames."""

MEAN_LENGTH = 50
"""Running means cover about this many of the latest values."""

MIN_DETECTIONS = 30
"""Detections before their mean duration is trusted: the first ones take longer."""

MAX_INTERVAL_S = 1.0
"""Frames that are further apart say nothing about the frame interval."""


class FrameSelector:
    """Compares the frame interval of a live source with the duration of its detections.

    A frame that waits for a busy detector ages until the next one replaces it. If it is taken
    late, it is shown up to one frame interval older than a frame that is taken on arrival;
    waiting for the next frame instead costs the rest of the interval. With a detector that takes
    many intervals neither matters much, and one that finishes within an interval finds each
    frame as it arrives.

    `arrived` is called by the source's thread, `detected` by the tracker's.

    Args:
        age_limit: wait if a frame would be older than this many mean detections by the time it
            is detected, or if the next one is due soon; 1 waits for a frame that has just
            arrived every time, None never waits.
        concurrency: how many frame intervals a detection may take without a frame being dropped.
    """

    def __init__(self, age_limit: float | None, concurrency: int = 1) -> None:
        self._age_limit = age_limit
        self._concurrency = concurrency
        self._latest: tuple[int, float, float] | None = None  # index, time, arrival
        self._interval = _RunningMean()
        self._detection = _RunningMean()

    def arrived(self, frame: Frame, now: float) -> None:
        """Take note of a new frame.

        Args:
            frame: the frame.
            now: `time.monotonic()`, s, as everywhere here.
        """
        before, self._latest = self._latest, (frame.index, frame.time, now)
        if before is None or frame.index <= before[0]:
            return
        interval = (frame.time - before[1]) / (frame.index - before[0])
        if 0 < interval < MAX_INTERVAL_S:
            self._interval.add(interval)

    def detected(self, seconds: float) -> None:
        """Take note of the duration of a detection."""
        self._detection.add(seconds)

    def delay(self, now: float) -> float:
        """How long to wait for the next frame, s; 0 to detect the current one."""
        latest, interval, detection = self._latest, self._interval.mean, self._detection.mean
        if self._age_limit is None or latest is None or self._detection.count < MIN_DETECTIONS:
            return 0.0
        if detection < SLOW_DETECTOR_INTERVALS * self._concurrency * interval:
            return 0.0
        spare = min((self._age_limit - 1) * detection, DUE_SOON * interval)
        age = now - latest[2]
        return LATE_AFTER_INTERVALS * interval - age if spare < age < interval else 0.0


class _RunningMean:
    """A mean over about MEAN_LENGTH values.

    A shorter one would, after one busy second, take a detector that keeps up for one that does
    not.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.mean += (value - self.mean) / min(self.count, MEAN_LENGTH)
