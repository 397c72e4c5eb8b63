"""Opening, reading and closing, and opening again what was lost: common to all sources."""

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

FOR_EVER: Mapping[str, Any] = MappingProxyType({"max": None, "first": 0.5, "longest": 30.0})
"""The defaults: tries without end, waits that double from `first` to `longest`, s."""


FACTOR = 2.0
"""By which a wait is longer than the one before it."""


JITTER = 0.5
"""The part of each wait that chance decides, so that many do not come back all at once."""


class Retry:
    """Exponential backoff with jitter.

    Args:
        max: tries to get a source back before it is given up; None for as many as it takes.
        first: longest wait before the first try, s.
        longest: longest wait before any try, s.

    Raises:
        ConfigError: a value that cannot be used.
    """

    def __init__(self, max: int | None, first: float, longest: float) -> None:  # noqa: A002
        if max is not None:
            options.whole("source.retry.max", max, 0)
        options.positive("source.retry.first", first)
        options.number("source.retry.longest", longest, first)
        self.max = max
        self._first = first
        self._longest = longest

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Retry:
        """From the values of `source.retry`; those that are not given are the defaults."""
        for key in values:
            if key not in FOR_EVER:
                known = did_you_mean(str(key), FOR_EVER)
                raise ConfigError(f"source.retry has no key {key!r}: {known}")
        return cls(**{**FOR_EVER, **values})

    def waits(self) -> Iterator[float]:
        """How long to wait before each try, s; they end when the source is to be given up."""
        wait, tries = self._first, 0
        while self.max is None or tries < self.max:
            yield wait * (1 - JITTER * random.random())  # noqa: S311 - nothing secret
            wait = min(wait * FACTOR, self._longest)
            tries += 1


NEVER = Retry(0, 1.0, 1.0)
"""What is lost stays lost."""


log = logging.getLogger(__name__)


class Connection(Protocol):
    """What is open: a file, a camera, a connection over a network."""

    def read(self) -> Frame | None:
        """The next frame; None at the end, or when it is to be read no further.

        Raises:
            SourceError: it is lost.
        """
        ...

    def close(self) -> None:
        """Let go of it; a second call does nothing."""
        ...


class SessionSource:
    """What a source has that reads by a Session: how it is read, stopped and closed."""

    _session: Session

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._session)

    def stop(self) -> None:
        """End the iteration, whatever it waits for. From any thread."""
        self._session.stop()

    def close(self) -> None:
        """Let go of file, camera or connection; the iteration ends. From any thread."""
        self._session.close()


class Session:
    """The frames of one thing after another: what is lost is opened anew.

    A loss is over when a frame has come, not when something could be opened: many a camera
    answers long before it has an image.

    Args:
        name: of the source, for the log.
        open_: opens it; raises SourceError. Called at once, and again after a loss.
        stopped: ends everything when it is set; whoever waits or reads must heed it.
        retry: how often to try after a loss.

    Attributes:
        outages: the losses so far.

    Raises:
        SourceError: it cannot be opened; from the iteration, it is lost for good.
    """

    def __init__(
        self,
        name: str,
        open_: Callable[[], Connection],
        stopped: threading.Event,
        retry: Retry = NEVER,
    ) -> None:
        self.outages = Outages()
        self._name = name
        self._open = open_
        self._stopped = stopped
        self._retry = retry
        self._waits: Iterator[float] | None = None  # while it is lost
        self._last_frame = (0.0, time.monotonic())  # its stream time, and when it came, s
        self._reading = threading.Lock()
        self._connection: Connection | None = open_()

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame

    @property
    def connection(self) -> Connection | None:
        """What is open at present."""
        return self._connection

    def stop(self) -> None:
        """End the iteration, whatever it waits for. From any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of it; the iteration ends. From any thread."""
        self.stop()
        with self._reading:
            self._drop()

    def _next(self) -> Frame | None:
        while not self._stopped.is_set():
            try:
                with self._reading:
                    frame = self._read()
            except SourceError as error:
                if self._stopped.is_set():
                    break
                self._lost(error)
                continue
            if frame is not None and not self._stopped.is_set():
                self._came(frame)
                return frame
            break
        return None

    def _read(self) -> Frame | None:
        if self._stopped.is_set():  # meanwhile, and closed
            return None
        if self._connection is None:
            if self._waits is None:
                return None  # it has ended
            self.outages.attempt()
            self._connection = self._open()
        frame = self._connection.read()
        if frame is None:
            self._waits = None
            self._drop()
        return frame

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        # A decoder ends with the last reference to it.
        self._connection = None

    def _lost(self, error: SourceError) -> None:
        """Take note, and wait until it is time to look for it again.

        Raises:
            SourceError: the one given: that was the last try.
        """
        with self._reading:
            self._drop()
        if self._retry.max == 0:
            raise error
        if self._waits is None:
            stream_time, at = self._last_frame
            self._waits = self._retry.waits()
            self.outages.begin(time.monotonic() - at, stream_time, str(error))
            log.warning("lost %s: %s; trying again", self._name, error)
        else:
            log.debug("still lost: %s", error)
        wait = next(self._waits, None)
        if wait is None:
            raise SourceError(f"gave up after {self._retry.max} tries: {error}") from error
        self._stopped.wait(wait)

    def _came(self, frame: Frame) -> None:
        if self._waits is not None:
            self._waits = None
            outage = self.outages.end(frame.captured - self._last_frame[1])
            log.warning(
                "%s is back after %.1f s, tries: %d", self._name, outage.length, outage.attempts
            )
        self._last_frame = (frame.time, frame.captured)
