"""Reading a source that may be lost: when to retry, reopening it, and its record of outages.

`Retry` says how long to wait between attempts, `Session` reads frames through one connection
after another, and `SessionSource` and `ReconnectingSource` are base classes of sources that do so.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from vidan import options
from vidan.errors import ConfigError, SourceError, did_you_mean
from vidan.outages import Outages
from vidan.types import Frame

log = logging.getLogger(__name__)

DEFAULT_RETRY: Mapping[str, Any] = MappingProxyType(
    {"max": None, "first": 0.5, "longest": 30.0, "start": False}
)
"""Default of the option `retry`; see `Retry`."""

BACKOFF_FACTOR = 2.0
"""Ratio of each wait to the previous one."""

JITTER_FRACTION = 0.5
"""Fraction of each wait that is random, so that many clients do not reconnect at once."""


class Retry:
    """Exponential backoff with jitter.

    Args:
        max: attempts to reopen a source before giving up; None for no limit.
        first: longest wait before the first attempt, s; it doubles from attempt to attempt.
        longest: longest wait before any attempt, s; at least `first`.
        start: whether a source that cannot be opened at the start is retried too.

    Raises:
        ConfigError: a value is out of range.
    """

    def __init__(
        self,
        max: int | None,  # noqa: A002
        first: float,
        longest: float,
        start: bool = False,
    ) -> None:
        if max is not None:
            options.whole("retry.max", max, 0)
        options.positive("retry.first", first)
        options.number("retry.longest", longest, first)
        self.max, self.start = max, options.boolean("retry.start", start)
        self._first = first
        self._longest = longest

    @classmethod
    def from_option(cls, values: Mapping[str, Any]) -> Retry:
        """From the option `retry`; keys that are not given have their defaults.

        Raises:
            ConfigError: an unknown key, or a value out of range.
        """
        for key in values:
            if key not in DEFAULT_RETRY:
                known = did_you_mean(str(key), DEFAULT_RETRY)
                raise ConfigError(f"retry: no key {key!r}: {known}")
        return cls(**{**DEFAULT_RETRY, **values})

    def waits(self) -> Iterator[float]:
        """How long to wait before each attempt, s; ends when it is time to give up."""
        wait, attempts = self._first, 0
        while self.max is None or attempts < self.max:
            yield wait * (1 - JITTER_FRACTION * random.random())  # noqa: S311 - not a secret
            wait = min(wait * BACKOFF_FACTOR, self._longest)
            attempts += 1


NO_RETRY = Retry(0, 1.0, 1.0)
"""The first loss ends the stream."""


class Connection(Protocol):
    """An open file, camera or network connection."""

    def read(self) -> Frame | None:
        """The next frame; None at the end, or once reading was stopped.

        Raises:
            SourceError: the connection is lost.
        """
        ...

    def close(self) -> None:
        """Close it; a second call does nothing."""
        ...


class Session:
    """Frames read through one connection after another, reopened after each loss.

    An outage ends with the first frame, not with the connection: many cameras answer long
    before they have an image.

    Args:
        name: of the source, for the log.
        connect: opens a connection or raises SourceError. Called at once, and after each loss.
        stopped: ends the iteration when set; connections must check it while they wait.
        retry: when to reconnect after a loss.

    Attributes:
        outages: the outages so far.

    Raises:
        SourceError: the first connection failed, unless it is retried; from the iteration, no
            attempt is left.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        stopped: threading.Event,
        retry: Retry = NO_RETRY,
    ) -> None:
        self.outages = Outages()
        self._name = name
        self._connect = connect
        self._stopped = stopped
        self._retry = retry
        self._waits: Iterator[float] | None = None  # during an outage
        self._last_frame = (0.0, time.monotonic())  # its stream time and its arrival, s
        self._reading = threading.Lock()
        self._connection: Connection | None = None
        try:
            self._connection = connect()
        except SourceError as error:
            if not retry.start:
                raise
            self._begin_outage(error)
            log.warning("cannot open %s: %s; trying again", name, error)

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame

    @property
    def connection(self) -> Connection | None:
        """The connection that is open; None during an outage and after the end."""
        return self._connection

    def stop(self) -> None:
        """End the iteration, even while it waits. From any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connection; the iteration ends. From any thread."""
        self.stop()
        with self._reading:
            self._disconnect()

    def _next(self) -> Frame | None:
        while not self._stopped.is_set():
            try:
                with self._reading:
                    frame = self._read()
            except SourceError as error:
                if self._stopped.is_set():
                    break
                self._handle_loss(error)
                continue
            if frame is not None and not self._stopped.is_set():
                self._note_frame(frame)
                return frame
            break
        return None

    def _read(self) -> Frame | None:
        if self._stopped.is_set():  # and perhaps closed, while this thread waited for the lock
            return None
        if self._connection is None:
            if self._waits is None:
                return None  # at the end
            self.outages.attempt()
            self._connection = self._connect()
        frame = self._connection.read()
        if frame is None:
            self._waits = None
            self._disconnect()
        return frame

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        # A decoder is freed with the last reference to it.
        self._connection = None

    def _handle_loss(self, error: SourceError) -> None:
        """Record the loss and wait for the next attempt.

        Raises:
            SourceError: no attempt is left.
        """
        with self._reading:
            self._disconnect()
        if self._retry.max == 0:
            raise error
        waits = self._waits
        if waits is None:
            waits = self._begin_outage(error)
            log.warning("lost %s: %s; trying again", self._name, error)
        else:
            log.debug("still lost: %s", error)
        wait = next(waits, None)
        if wait is None:
            raise SourceError(f"gave up after {self._retry.max} attempts: {error}") from error
        self._stopped.wait(wait)

    def _begin_outage(self, error: SourceError) -> Iterator[float]:
        """Record an outage; the waits before the attempts to end it."""
        stream_time, arrived = self._last_frame
        self._waits = self._retry.waits()
        self.outages.begin(time.monotonic() - arrived, stream_time, str(error))
        return self._waits

    def _note_frame(self, frame: Frame) -> None:
        if self._waits is not None:
            self._waits = None
            outage = self.outages.end(frame.captured - self._last_frame[1])
            log.warning(
                "%s is back after %.1f s, attempts: %d", self._name, outage.length, outage.attempts
            )
        self._last_frame = (frame.time, frame.captured)


class SessionSource:
    """Base class of sources that read through a Session, which they set as `_session`."""

    _session: Session

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._session)

    def stop(self) -> None:
        """End the iteration, even while it waits. From any thread."""
        self._session.stop()

    def close(self) -> None:
        """Close the file, camera or connection; the iteration ends. From any thread."""
        self._session.close()


class ReconnectingSource(SessionSource):
    """Base class of live sources that come and go."""

    live = True
    frames: int | None = None

    @property
    def outages(self) -> Outages:
        """The outages so far."""
        return self._session.outages
