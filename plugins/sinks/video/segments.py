"""When a recording in several files begins its next one."""

from __future__ import annotations

import math
import time
from datetime import datetime

BACKWARDS = 1.0
"""A stream time that falls by more than this was set back, s; less is jitter."""

DRIFT = 0.01
"""A source whose clock differs from ours by a smaller part than this keeps our time."""


class Segments:
    """Cuts stream time where our clock shows a multiple of a length since local midnight.

    The stream's clock is set by ours at its first frame. From then on stream time counts, so
    that a file that is read faster than it was filmed is cut as if it was filmed now. A camera's
    clock, which drifts, is set again at each cut.

    Args:
        length: s; None for one segment without end.
        began: our clock's time at the first frame, after which stream time alone counts, so that
            a job that is done again is cut in the same places; None for what our clock shows.

    Attributes:
        when: the latest frame's time on our clock, seconds since 1970.
    """

    def __init__(self, length: float | None, began: float | None = None) -> None:
        self._length = length
        self._began = began
        self._offset = 0.0  # from stream time to our clock
        self._set_at = -math.inf  # stream time
        self._last: float | None = None  # stream time
        self._number = -1
        self.when = 0.0

    def starts(self, stream_time: float, captured: float) -> bool:
        """Whether a frame is the first of a segment.

        Args:
            stream_time: of the frame, s.
            captured: when it was had, by `time.monotonic()`, s.
        """
        now = time.time() - (time.monotonic() - captured)
        if self._last is None:
            self._set(stream_time, now if self._began is None else self._began)
        elif stream_time < self._last - BACKWARDS:
            self._set(stream_time, self.when)
        first, self._last = self._last is None, stream_time
        self.when = stream_time + self._offset
        if self._length is None:
            return first
        number = self._of(self.when)
        if not first and number <= self._number:
            return False
        if self._drifts(stream_time, now):
            self._set(stream_time, now)
            number = max(number, self._of(now))
        self._number = number
        return True

    def _drifts(self, stream_time: float, now: float) -> bool:
        keeps_our_time = abs(now - self.when) < DRIFT * (stream_time - self._set_at)
        return keeps_our_time and self._began is None

    def _set(self, stream_time: float, when: float) -> None:
        self._offset, self._set_at = when - stream_time, stream_time

    def _of(self, when: float) -> int:
        """The number of the segment that a time lies in; local time, so that days are days."""
        offset = datetime.fromtimestamp(when).astimezone().utcoffset()
        assert offset is not None
        assert self._length is not None
        return math.floor((when + offset.total_seconds()) / self._length)
