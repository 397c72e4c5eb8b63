"""Index, stream time and image size of the frames of one stream, across losses and restarts.

Timestamps of real files and cameras jump, repeat or are missing. `StreamTime` turns them into a
time that starts at 0 and always rises; `FrameTimeline` also numbers the frames and bridges
outages; `FixedSize` keeps the image size constant.
"""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

MIN_FRAME_INTERVAL_S = 1e-3
"""Stream time advances by at least this much from frame to frame, s."""

MAX_BACKWARD_STEP_S = 1.0
"""A timestamp that is further behind than this starts a new sequence of timestamps, s."""

MAX_JITTER_S = 0.2
"""In formats whose timestamps may jump, the same limit for a step back, s."""

MAX_FORWARD_STEP_S = 10.0
"""In formats whose timestamps may jump, a step ahead of more than this is no pause, s. FFmpeg's
programs use the same limit."""

MAX_AHEAD_OF_CLOCK_S = 30.0
"""Live timestamps that advance this much more than the clock have been reset, s."""


class StreamTime:
    """Converts timestamps to stream time: 0 at the first image, strictly increasing.

    Timestamps that fall by more than MAX_BACKWARD_STEP_S start a new sequence, which follows the
    previous one after `interval`.

    Attributes:
        jumps: whether the parts of a format may be joined. Then a large step ahead starts a new
            sequence too, which is otherwise a pause, and so does a smaller step back.
        jumped: whether a new sequence was started by the timestamps.
    """

    def __init__(self) -> None:
        self.jumps = False
        self.jumped = False
        self._last: float | None = None  # stream time of the previous image, s
        self._zero: float | None = None  # timestamp at stream time 0, s

    def restart(self) -> None:
        """Expect a new sequence of timestamps; stream time continues."""
        self._zero = None

    def advance(self, pts: float | None, interval: float) -> float:
        """The stream time of the next image, s.

        Args:
            pts: its timestamp, s; None if it has none.
            interval: expected time since the previous image, s.
        """
        expected = 0.0 if self._last is None else self._last + interval
        time = expected if pts is None else self._from_pts(pts, expected)
        if self._last is not None:
            time = max(time, self._last + MIN_FRAME_INTERVAL_S)
        self._last = time
        return time

    def _from_pts(self, pts: float, expected: float) -> float:
        if self._zero is None or self._last is None:
            self._zero = pts - expected
            return expected
        step = pts - self._zero - self._last
        if self.jumps:
            new = not -MAX_JITTER_S <= step <= MAX_FORWARD_STEP_S
        else:
            new = step < -MAX_BACKWARD_STEP_S
        if new:
            self._zero, self.jumped = pts - expected, True
        return pts - self._zero


class FrameTimeline:
    """Assigns index and stream time to the images of one stream.

    Index and time advance by the length of an outage, and by the images that were lost.
    """

    def __init__(self) -> None:
        self._stream_time = StreamTime()
        self._index = -1
        self._arrived: float | None = None  # when the previous image arrived, s
        self._pts: float | None = None  # its timestamp, s
        self._resumed = False
        self._restarts_pts = True

    @property
    def jumps(self) -> bool:
        """See `StreamTime`."""
        return self._stream_time.jumps

    @jumps.setter
    def jumps(self, value: bool) -> None:
        self._stream_time.jumps = value

    def restart(self) -> None:
        """The file starts over: the next image follows the last one without a gap."""
        self._stream_time.restart()
        self._pts = None

    def resume(self, *, restarts_pts: bool = True) -> None:
        """The next image is the first one after an outage.

        Args:
            restarts_pts: whether timestamps start over too, as on a new connection.
        """
        self._resumed, self._restarts_pts = True, restarts_pts

    def next(
        self,
        pts: float | None,
        arrived: float,
        frame_interval: float,
        *,
        lost: int = 0,
        live: bool = False,
    ) -> tuple[int, float]:
        """Index and stream time, s, of the next image.

        Args:
            pts: its timestamp, s; None if it has none.
            arrived: when it arrived, s of `time.monotonic()`.
            frame_interval: usual time from one image to the next, s.
            lost: number of images lost just before it.
            live: whether images arrive when they are captured, so that a clock that was reset
                shows in their timestamps.
        """
        steps = 1 + lost
        interval = steps * frame_interval
        outage = self._outage(pts, arrived, live)
        if outage is not None:
            steps = max(steps, round(outage / frame_interval))
            interval = max(outage, steps * frame_interval)
            if self._restarts_pts:
                self._stream_time.restart()
        self._index += steps
        self._arrived, self._pts = arrived, pts
        self._resumed, self._restarts_pts = False, True
        return self._index, self._stream_time.advance(pts, interval)

    def _outage(self, pts: float | None, arrived: float, live: bool) -> float | None:
        """Time since the previous image by the clock, s; None to trust the timestamps."""
        if self._arrived is None:
            return None
        elapsed = arrived - self._arrived
        if self._resumed:
            return elapsed
        if not live or pts is None or self._pts is None:
            return None
        return elapsed if pts - self._pts > elapsed + MAX_AHEAD_OF_CLOCK_S else None


class FixedSize:
    """Keeps the first image size for the whole stream: trackers and recordings depend on it.

    Args:
        stream: name of the stream, for the log.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._first: tuple[int, int] | None = None
        self._latest: tuple[int, int] | None = None

    def target(self, size: tuple[int, int]) -> tuple[int, int]:
        """Width and height to scale an image of `size` to, px; changes of `size` are logged."""
        if self._first is None:
            self._first = self._latest = size
        if size != self._latest:
            self._latest = size
            log.warning(
                "%s: resolution changed to %dx%d; scaling to the initial %dx%d",
                self._stream,
                *size,
                *self._first,
            )
        return self._first
