"""The packets of a video, each waited for no longer than patience lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from vidan.errors import SourceError

from .address import Address
from .damage import Damage
from .interrupt import interruptible

MAX_READ_FAILURES = 32
"""After so many failed reads in a row the rest of a file is given up."""


class Packets:
    """The packets of a video; None at the end, which flushes the decoder.

    Patience is with pictures: packets of sound, or that no picture can be made of, do not renew it.

    Args:
        container: to read from.
        stream: the video in it.
        address: of it, for errors.
        damage: what is noted where a packet cannot be read.
        patience: longest wait for a picture, s.
        longer: how much longer the first may take, s.
        stopped: ends all waiting when it is set.

    Attributes:
        arrived: when the latest packet came, s of `time.monotonic()`.
        waited: how long it was waited for, s.

    Raises:
        SourceError: from the iteration and `check_patience`: there was no picture for too long, or
            it cannot be read further.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        address: Address,
        damage: Damage,
        *,
        patience: float,
        longer: float,
        stopped: threading.Event,
    ) -> None:
        self._container = container
        self._stream = stream
        self._address = address
        self._damage = damage
        self._patience = patience
        self._stopped = stopped
        self.arrived = time.monotonic()
        self.waited = 0.0
        self._last_picture = self.arrived + longer

    def __iter__(self) -> Iterator[av.Packet[Any] | None]:
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._demux():
                    failures = 0
                    if packet.size:
                        yield packet
                break
            except av.error.FFmpegError as error:
                self._address.conceal(error)
                # A wait that was broken off may come back as any error.
                self.check_patience()
                if isinstance(error, av.error.ExitError | av.error.TimeoutError):
                    raise SourceError(self._address.silent(self._patience)) from error
                if not isinstance(error, av.error.InvalidDataError):
                    raise SourceError(self._address.cannot_read(error)) from error
                failures += 1
                self._damage.note(error)
        yield None

    def picture_came(self) -> None:
        """Patience begins anew."""
        self._last_picture = time.monotonic()

    def check_patience(self) -> None:
        """Raise a SourceError if for too long there was no picture, whatever else came."""
        if time.monotonic() > self._last_picture + self._patience:
            raise SourceError(self._address.silent(self._patience))

    def _demux(self) -> Iterator[av.Packet[Any]]:
        packets = self._container.demux(self._stream)
        while True:
            started = time.monotonic()
            with interruptible(self._stopped, self._last_picture + self._patience):
                packet = next(packets, None)
            if packet is None:
                return
            self.arrived = time.monotonic()
            self.waited = self.arrived - started
            yield packet
