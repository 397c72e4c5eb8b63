"""What is wrong with a video that is read all the same, and when to say so."""

from __future__ import annotations

import logging

import av.error

from .address import Address

log = logging.getLogger(__name__)

SHORT = 0.9
"""A video that ends before this part of the announced duration is reported."""


class Damage:
    """The places where a video is damaged: the first is logged at once, their number at the end.

    Args:
        address: of the video.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._count = 0
        self._latest: av.error.FFmpegError | None = None

    def note(self, error: av.error.FFmpegError) -> None:
        """There is one more, of which FFmpeg says this."""
        self._count += 1
        self._latest = error
        if self._count == 1:
            log.warning("%r is damaged (%s): going on behind it", self._address, error.strerror)

    def nothing(self) -> str:
        """What to say if not one picture could be decoded."""
        why = f" ({self._latest.strerror})" if self._latest else ""
        advice = self._address.no_picture()
        return f"no picture in {self._address!r} can be decoded{why}: {advice}"

    def report(
        self, count: int, frames: int | None, end: float, duration: float, step: float
    ) -> None:
        """Log what was not there, as far as can be told.

        Args:
            count: of the pictures that there were.
            frames: how many were announced; None if that was not said.
            end: when the last was shown, s.
            duration: as announced, s; 0 if that was not said.
            step: usual time between pictures, s.
        """
        if self._count > 1:
            log.warning("%r is damaged in %d places", self._address, self._count)
        if frames is not None and count < frames:
            self._short(f"after {count} of the {frames} frames")
        elif frames is None and end + 5 * step < SHORT * duration:
            self._short(f"{end:.1f} s into the {duration:.1f} s")

    def _short(self, where: str) -> None:
        log.warning("%r ended %s that it announces: it may be cut short", self._address, where)
