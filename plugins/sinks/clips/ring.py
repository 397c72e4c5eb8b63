"""The latest seconds of a stream, encoded."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from ..video.encoder import Encoder, Packet
from ..video.yuv_frame import YuvFrame

KEY_FRAME_INTERVAL_S = 1.0
"""Stream time from one key frame to the next, at least; a clip starts at a key frame."""


class Coded(NamedTuple):
    """An encoded frame.

    Attributes:
        number: counts the frames of the ring.
        time: stream time, s.
        key: number of the key frame that it needs, itself or an earlier one.
        packet: of the encoder; not to be changed.
    """

    number: int
    time: float
    key: int
    packet: Packet


class PacketRing:
    """Encodes all frames of a stream, and keeps the packets of its latest seconds.

    Args:
        encoder: of the frames.
        reach: stream time that is kept, s; more by up to KEY_FRAME_INTERVAL_S.
    """

    def __init__(self, encoder: Encoder, reach: float) -> None:
        self.encoder = encoder
        self._reach = reach
        self._kept: deque[Coded] = deque()
        self._waiting: deque[float] = deque()  # times of the frames that the encoder has
        self._last_key = -math.inf  # time of the latest key frame, s
        self._count = 0
        self._key = 0

    @property
    def oldest(self) -> float:
        """Stream time of the oldest frame, s, which may still be in the encoder."""
        return self._kept[0].time if self._kept else next(iter(self._waiting), math.inf)

    def add(self, image: YuvFrame, time: float) -> None:
        """Encode an image shown at a stream time, s."""
        key = time - self._last_key >= KEY_FRAME_INTERVAL_S
        if key:
            self._last_key = time
        self._waiting.append(time)
        self._keep(self.encoder.encode(image, time, key=key))

    def finish(self) -> None:
        """Get the frames that are still in the encoder."""
        self._keep(self.encoder.finish())

    def start_of(self, time: float) -> Coded | None:
        """The key frame from which to play what is shown from a stream time on.

        Returns:
            None if no such frame has been encoded yet.
        """
        # A frame before a pause of the stream is not shown throughout it.
        first = next((coded for coded in self._kept if coded.time >= time), None)
        return None if first is None else self._kept[first.key - self._kept[0].number]

    def since(self, number: int) -> Iterator[Coded]:
        """The frames from a number on that are kept."""
        if self._kept:
            yield from islice(self._kept, max(0, number - self._kept[0].number), None)

    def prune(self, now: float) -> None:
        """Forget the frames that nothing before `now - reach` needs."""
        kept = self._kept
        while kept and (start := self._second_key()) is not None:
            if self._kept[start].time > now - self._reach:
                break
            for _ in range(start):
                kept.popleft()

    def _second_key(self) -> int | None:
        """Position of the second key frame."""
        first = self._kept[0].number
        return next((n for n, coded in enumerate(self._kept) if n and coded.key == first + n), None)

    def _keep(self, packets: list[Packet]) -> None:
        for packet in packets:
            if packet.is_keyframe:
                self._key = self._count
            self._kept.append(Coded(self._count, self._waiting.popleft(), self._key, packet))
            self._count += 1
