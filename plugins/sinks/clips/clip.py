"""One clip: a file with the frames around one or more events."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import av
import av.error

from vidan.events import Event
from vidan.support.text import utf8

from ...formats.events import event_record
from ..errors import write_error
from ..video.encoder import KEY_FRAME_INTERVAL, Encoder, Packet
from ..video.mp4 import Verifier
from ..video.recording import Mp4File
from .ring import Coded, PacketRing

SIDECAR = ".json"
"""Suffix of the file with the events of a clip."""

MAX_OVERRUN_S = 1.0
"""A frame after the end of a clip is included to show the moment of the end, but not one that
comes after a pause, s."""


class Clip:
    """Copies packets from the ring into a file, from a key frame on.

    Args:
        name: makes the path of the file when there is something to write.
        event: the first event.
        start: stream time from which frames are shown, s.
        end: stream time until which they are shown, s.

    Attributes:
        path: of the file; None until it is open.
        start: stream time from which frames are shown, s.
        end: as given; later events extend it.
    """

    def __init__(self, name: Callable[[], Path], event: Event, start: float, end: float) -> None:
        self.path: Path | None = None
        self.start, self.end = start, end
        self._name = name
        self._events = [event]
        self._output: _Output | None = None

    def add(self, event: Event, end: float) -> None:
        """Include another event, and everything until a stream time, s."""
        self._events.append(event)
        self.end = max(self.end, end)
        if self._output is not None:
            self._output.describe(self._events)

    def feed(self, ring: PacketRing) -> None:
        """Write what the ring has of it by now.

        Raises:
            SinkError: the file cannot be written.
        """
        if self._output is None:
            first = ring.start_of(self.start)
            if first is None:
                return
            self.path = self._name()
            self.start = min(self.start, first.time)
            self._output = _Output(self.path, ring.encoder, first)
            self._output.describe(self._events)
        for coded in ring.since(self._output.next):
            if self._output.last >= self.end or coded.time > self.end + MAX_OVERRUN_S:
                break
            self._output.write(coded)

    def finish(self) -> None:
        """Finish and verify the file.

        Raises:
            SinkError: it cannot be written, or verification fails.
        """
        if self._output is not None:
            self._output.finish(self._events)


class _Output:
    """The file of a clip and its sidecar.

    Attributes:
        next: number of the next frame to write.
        last: stream time of the latest frame, s.
    """

    def __init__(self, path: Path, encoder: Encoder, first: Coded) -> None:
        self._path, self._first = path, first
        self._verifier = Verifier(*encoder.size, KEY_FRAME_INTERVAL)
        try:
            self._file = Mp4File(path, encoder.stream)
        except (OSError, av.error.FFmpegError) as error:
            raise write_error(path, error) from error
        self.next = first.number
        self.last = -math.inf

    def write(self, coded: Coded) -> None:
        self._file.write([_copied(coded.packet, self._first.packet.pts or 0)])
        self._verifier.count += 1
        self.next, self.last = coded.number + 1, coded.time

    def finish(self, events: Sequence[Event]) -> None:
        self._file.finish(self._verifier)
        if not self._file.failed:
            self.describe(events)

    def describe(self, events: Sequence[Event]) -> None:
        """Write the sidecar: which part of the stream is in the file, and which events are."""
        path = self._path.with_suffix(SIDECAR)
        record = {
            "file": self._path.name,
            "start": round(self._first.time, 6),
            "end": round(max(self.last, self._first.time), 6),
            "events": [event_record(event) for event in events],
        }
        try:
            path.write_bytes(utf8(json.dumps(record, ensure_ascii=False) + "\n"))
        except OSError as error:
            raise write_error(path, error) from error


def _copied(packet: Packet, origin: int) -> Packet:
    """A copy, which can be written to a file, with timestamps that count from `origin`, ticks."""
    copy = cast("Packet", av.Packet(bytes(packet)))
    copy.time_base, copy.duration = packet.time_base, packet.duration
    copy.pts, copy.dts = (packet.pts or 0) - origin, (packet.dts or 0) - origin
    copy.is_keyframe = packet.is_keyframe
    return copy
