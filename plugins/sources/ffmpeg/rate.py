"""Fewer images per second than a video has, decoded with as little work as its structure allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from av.video.frame import PictureType

from .catchup import SkippingReader
from .decode import DecodedImage, Skip

MAX_STEP_S = 12.0
"""A longer step between timestamps is a jump, s."""

PROBE_IMAGES = 16
"""Images that are decoded before any are skipped."""

TOLERANCE_S = 1e-3
"""Rounding of timestamps, s."""


class RateFilter:
    """Passes images at most `rate` times per second: the first one that is due, each time.

    If the decoder can skip images and still deliver one for each interval, it does: all but key
    frames if these come often enough, else those that no other refers to, which are some of the B
    images. When one is missing then, the decoder skips less from there on.

    Args:
        images: to choose from; one without a timestamp, as in raw video, follows the previous one
            after `frame_interval`.
        rate: images per second.
        frame_interval: usual time from one image to the next, s.
        decoder: that may skip images; None if it must not.
    """

    def __init__(
        self,
        images: Iterable[DecodedImage],
        rate: float,
        frame_interval: float,
        decoder: SkippingReader | None = None,
    ) -> None:
        self._images, self._decoder = images, decoder
        self._interval, self._frame_interval = 1 / rate, frame_interval
        self._due: float | None = None
        self._passed: float | None = None  # pts of the last image that passed, s
        self._previous: float | None = None  # pts of the last image, s
        self._seen = 0
        # Longest intervals between key frames, and between images other than B, which are the
        # only ones that no other may refer to; s, 0 before the second one.
        self._keys, self._anchors = _Intervals(), _Intervals()
        self._allowed: list[Skip] = ["DEFAULT", "NONREF", "NONKEY"]

    def __iter__(self) -> Iterator[DecodedImage]:
        """The images that pass; those in between count as lost."""
        latest: float | None = None  # timestamp of the last image, s
        for decoded in self._images:
            pts = decoded.pts
            if pts is None:
                pts = 0.0 if latest is None else latest + (1 + decoded.lost) * self._frame_interval
            elif self._decoder is not None:
                self._decoder.skip = self._choose(decoded, pts, self._decoder.skip)
            latest = pts
            if not self._is_due(pts):
                continue
            # Not from what the decoder skipped: with several threads, it does not know that yet.
            lost = 0
            if self._passed is not None and pts > self._passed:
                lost = max(0, round((pts - self._passed) / self._frame_interval) - 1)
            self._passed = pts
            yield decoded._replace(lost=lost)

    def _is_due(self, pts: float) -> bool:
        if self._due is None or not -self._interval < self._due - pts <= 2 * self._interval:
            self._due = pts  # the first one, or timestamps that jumped
        if pts < self._due - TOLERANCE_S:
            return False
        self._due += self._interval
        if self._due <= pts:
            self._due = pts + self._interval
        return True

    def _choose(self, decoded: DecodedImage, pts: float, skip: Skip) -> Skip:
        """What the decoder is to skip, from how far images and key frames are apart."""
        step = 0.0 if self._previous is None else pts - self._previous
        self._previous = pts
        self._seen += 1
        if not 0 <= step <= MAX_STEP_S:  # they jumped
            self._keys, self._anchors, self._seen = _Intervals(), _Intervals(), 0
        elif skip != "DEFAULT" and step > self._interval + TOLERANCE_S:
            self._allowed = self._allowed[: self._allowed.index(skip)]
            self._anchors, self._seen = _Intervals(), 0  # they were skipped too
        if decoded.image.key_frame:
            self._keys.add(pts)
        if decoded.image.pict_type != PictureType.B:
            self._anchors.add(pts)
        often: dict[Skip, bool] = {
            "NONKEY": self._is_often(self._keys),
            "NONREF": self._seen >= PROBE_IMAGES and self._is_often(self._anchors),
            "DEFAULT": True,
        }
        return next(each for each in reversed(self._allowed) if often[each])

    def _is_often(self, intervals: _Intervals) -> bool:
        return 0 < intervals.longest <= self._interval + TOLERANCE_S


class _Intervals:
    """The longest interval between some images, s; 0 before the second."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last: float | None = None

    def add(self, pts: float) -> None:
        """Take the timestamp of the next one, s."""
        if self._last is not None:
            self.longest = max(self.longest, pts - self._last)
        self._last = pts
