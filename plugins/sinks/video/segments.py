"""Decides where a recording that is split into several files starts the next one."""

from __future__ import annotations

import math
import time

from ..clock import interval_start

CLOCK_RESET_S = 1.0
"""If stream time falls by more than this, s, the source's clock was set back; less is jitter."""

MAX_CLOCK_DRIFT = 0.01
"""Relative deviation up to which a source's clock is synchronized with the system clock."""


class Segments:
    """Splits stream time at multiples of a length since local midnight, by the system clock.

    Stream time is mapped to the system clock at the first frame. From then on only stream time
    counts, so a file that is read faster than real time is split as if it were filmed now. A
    camera's clock drifts and is therefore synchronized again at each split.

    Args:
        length: of a segment, s; None for a single segment.
        began: Unix time of the first frame, s, for a resumed job: stream time alone counts from
            there, and the splits are where they were. None for the system clock.

    Attributes:
        when: Unix time of the latest frame, s.
    """

    def __init__(self, length: float | None, began: float | None = None) -> None:
        self._length = length
        self._began = began
        self._offset = 0.0  # from stream time to Unix time
        self._synchronized_at = -math.inf  # stream time
        self._last: float | None = None  # stream time
        self._start = -math.inf  # Unix time at which the current segment begins
        self.when = 0.0

    def starts(self, stream_time: float, captured: float) -> bool:
        """Whether a frame is the first of a segment.

        Args:
            stream_time: of the frame, s.
            captured: when the frame was captured, by `time.monotonic()`, s.
        """
        now = time.time() - (time.monotonic() - captured)
        if self._last is None:
            self._synchronize(stream_time, now if self._began is None else self._began)
        elif stream_time < self._last - CLOCK_RESET_S:
            self._synchronize(stream_time, self.when)
        first, self._last = self._last is None, stream_time
        self.when = stream_time + self._offset
        if self._length is None:
            return first
        start = interval_start(self.when, self._length)
        if not first and start <= self._start:
            return False
        if self._drifts(stream_time, now):
            self._synchronize(stream_time, now)
            start = max(start, interval_start(now, self._length))
        self._start = start
        return True

    def _drifts(self, stream_time: float, now: float) -> bool:
        limit = MAX_CLOCK_DRIFT * (stream_time - self._synchronized_at)
        return abs(now - self.when) < limit and self._began is None

    def _synchronize(self, stream_time: float, when: float) -> None:
        self._offset, self._synchronized_at = when - stream_time, stream_time
