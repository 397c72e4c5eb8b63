"""Guaranteed delivery of events to a receiver that may be slow or down.

    sink's thread ──put──► spool on disk ──deliver──► receiver
                                        delivery thread

A sink writes a receiver, makes messages of all its events, and puts those that it wants to send:

    class Mine:
        def __init__(self, url: str, spool: str | None = None,
                     spool_size: Annotated[int, Meta(ge=1)] = SPOOL_SIZE,
                     drain: Annotated[float, Meta(ge=0)] = DRAIN_S,
                     run: RunContext | None = None) -> None:
            self._messages = Messages(run)
            file = open_spool("mine", spool, spool_size, run)
            self._delivery = Delivery("mine", MyReceiver(url), file, drain=drain)

        def emit(self, events: Sequence[Event]) -> None:
            self._delivery.put(self._messages.of(events))

        def measures(self) -> Mapping[Measure, float]:
            return self._delivery.measures()

        def close(self) -> None:
            self._delivery.close()

    class MyReceiver:
        def connect(self) -> None: ...
        def deliver(self, messages: Sequence[Message]) -> int: ...
        def close(self) -> None: ...

Options that the sink checks come before `open_spool`, which locks the file until `close`.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from vidan import options
from vidan.config.build import RunContext
from vidan.errors import SinkError
from vidan.events import Measure
from vidan.support.secrets import redacted

from .message import Message
from .spool import Spool, Stored

log = logging.getLogger(__name__)

SPOOL_FOLDER = Path("runs/spool")
"""Folder of the spools, which is not that of a run: the next run continues them."""

SPOOL_SIZE = 100_000
"""Events that wait at most: about 50 MB."""

DRAIN_S = 5.0
"""How long the end of a run waits for the receiver, s."""

BATCH = 500
"""Messages in one call of `Receiver.deliver` at most."""

IDLE_S = 1.0
"""How often a receiver without messages is called, s."""

WARN_EVERY_S = 60.0
"""Shortest time between two warnings about dropped events, s."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Between two attempts: doubled each time, and a random part of it, so that many clients do not
return at once."""

GRACE_S = 1.0
"""How much longer than `drain` a call of the receiver may take at the end, s."""

REASONS = {
    "overflow": "the spool is full",
    "rejected": "the receiver refuses them",
    "unreadable": "the spool has them in another format",
}
"""Why events are dropped."""

Item = TypeVar("Item")
Taken = TypeVar("Taken", contravariant=True)


class DeliveryError(Exception):
    """The receiver cannot be reached or did not acknowledge; it is worth trying again.

    Attributes:
        after: how long the receiver asks to wait, s; 0 if it does not ask.
    """

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class Receiver(Protocol[Taken]):
    """Sends messages to another program. Used by the delivery thread alone.

    An error that trying again cannot repair, such as a wrong password, is a `SinkError`: it ends
    the sink, and the messages wait for the next run.
    """

    def connect(self) -> None:
        """Connect; called before the first `deliver`, and again after each `DeliveryError`.

        Raises:
            DeliveryError: it may succeed later.
            SinkError: it will not.
        """
        ...

    def deliver(self, messages: Sequence[Taken]) -> int:
        """Send messages in order, and return once the receiver has acknowledged all of them.

        While none wait, it is called about once a second without any, to notice a lost connection.

        Returns:
            How many of them the receiver will never take; they are dropped and counted.

        Raises:
            DeliveryError: they are to be sent again, all of them.
            SinkError: the receiver takes no more.
        """
        ...

    def close(self) -> None:
        """End the connection; also called if there was none."""
        ...


def open_spool(sink: str, path: str | None, limit: int, run: RunContext | None) -> Spool:
    """The spool of a sink; by default one for each stream, which later runs continue.

    Args:
        sink: name of the sink.
        path: value of its option `spool`.
        limit: value of its option `spool_size`, in events.
        run: the run; None outside of one.

    Raises:
        ConfigError: another run uses it.
        SinkError: it cannot be opened.
    """
    stream = run.stream if run else "stream"
    default = SPOOL_FOLDER / f"{stream}-{sink}.sqlite"
    return Spool(default if path is None else options.path("spool", path), limit)


class Delivery(Generic[Item]):
    """Sends messages in order, each at least once, in a thread of its own.

    Messages that were left by earlier runs come first.

    Args:
        sink: name of the sink, for measures and messages of the log.
        receiver: to send to; closed at the end.
        spool: where messages wait; closed at the end.
        drain: time that `close` waits for the receiver, s.
        batch: messages in one call of the receiver at most.
        kind: class of the messages, with which msgspec reads them.
    """

    def __init__(
        self,
        sink: str,
        receiver: Receiver[Item],
        spool: Spool,
        *,
        drain: float = DRAIN_S,
        batch: int = BATCH,
        kind: type[Item] = Message,  # type: ignore[assignment]
    ) -> None:
        self._sink, self._receiver, self._spool = sink, receiver, spool
        self._drain, self._batch = drain, batch
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._dropped = dict.fromkeys(REASONS, 0)
        self._unreported = dict.fromkeys(REASONS, 0)
        self._warn_after = 0.0
        self._counting = threading.Lock()
        self._failure: Exception | None = None
        self._raised = False
        self._connected = False
        self._attempts = 0  # that failed in a row
        self._gave_up = False
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._deadline = math.inf
        self._closed = False
        if len(spool):
            log.info("%s: %d events of earlier runs wait in %s", sink, len(spool), spool.path)
        self._thread = threading.Thread(target=self._run, name=f"vidan-{sink}", daemon=True)
        self._thread.start()

    def put(self, messages: Sequence[Item]) -> None:
        """Store messages, and return without waiting for the receiver.

        Raises:
            SinkError: they cannot be stored, or the receiver failed for good.
        """
        self.check()
        if messages:
            self._drop(
                "overflow",
                self._spool.append([msgspec.msgpack.encode(message) for message in messages]),
            )
            self._wake.set()

    def check(self) -> None:
        """See whether the receiver failed for good.

        Raises:
            SinkError: it did; what waits is kept for the next run.
        """
        if self._failure is not None:
            self._raised = True
            raise self._failure

    def measures(self) -> Mapping[Measure, float]:
        """`events_dropped_total` by reason, and `events_waiting`; see `Measuring`."""
        sink = ("sink", self._sink)
        dropped = {
            Measure("events_dropped_total", (sink, ("reason", reason))): float(count)
            for reason, count in self._dropped.items()
        }
        return dropped | {Measure("events_waiting", (sink,)): float(len(self._spool))}

    def close(self) -> None:
        """Wait for the receiver for a while, and report what is left; a second call does nothing.

        Raises:
            SinkError: the receiver failed for good, and no earlier call has raised it.
        """
        if self._closed:
            return
        self._closed = True
        self._deadline = time.monotonic() + self._drain
        self._closing.set()
        self._wake.set()
        self._thread.join(self._drain + GRACE_S)
        self._report_dropped()
        waiting, path = len(self._spool), self._spool.path
        self._spool.close()
        if waiting:
            log.warning("%s: %d events wait in %s for the next run", self._sink, waiting, path)
        if not self._raised:
            self.check()

    def _run(self) -> None:
        try:
            while not self._is_over():
                self._step()
        except SinkError as error:
            self._failure = SinkError(redacted(str(error)))
        except Exception as error:  # to be raised where the pipeline reports it
            self._failure = error
        finally:
            self._receiver.close()

    def _is_over(self) -> bool:
        """Whether the run has ended, and nothing more can be delivered in time."""
        return self._closing.is_set() and (
            not len(self._spool) or self._gave_up or time.monotonic() >= self._deadline
        )

    def _step(self) -> None:
        """Deliver one batch, or wait for messages, or for the time of the next attempt."""
        try:
            if not self._connected:
                self._receiver.connect()
                self._connected = True
            if not len(self._spool):
                self._wake.wait(IDLE_S)
                self._wake.clear()
            self._deliver()
        except DeliveryError as error:
            self._connected = False
            self._attempts += 1
            self._gave_up = self._closing.is_set()
            self._pause(error)

    def _deliver(self) -> None:
        items = self._spool.first(self._batch) if len(self._spool) else []
        messages = list(self._decoded(items))
        rejected = self._receiver.deliver(messages)
        if self._attempts:
            log.info("%s: delivering again", self._sink)
            self._attempts = 0
        if items:
            self._spool.remove(items[-1].number)
            self._drop("rejected", rejected)
            self._drop("unreadable", len(items) - len(messages))

    def _decoded(self, items: Sequence[Stored]) -> Iterator[Item]:
        """The messages, without those that another version of vidan stored in its own way."""
        for item in items:
            with suppress(msgspec.DecodeError):
                yield self._decoder.decode(item.content)

    def _pause(self, error: DeliveryError) -> None:
        if self._attempts == 1:
            why = redacted(str(error))
            log.warning("%s: %s; events wait in %s", self._sink, why, self._spool.path)
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self._attempts - 1, 10))
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - not for security
        if self._closing.wait(max(pause, error.after)) and error.after:
            self._gave_up = True

    def _drop(self, reason: str, count: int) -> None:
        """Count dropped events, and warn of them once in a while."""
        with self._counting:
            self._dropped[reason] += count
            self._unreported[reason] += count
            if count and time.monotonic() >= self._warn_after:
                self._warn_after = time.monotonic() + WARN_EVERY_S
                self._report_dropped()

    def _report_dropped(self) -> None:
        for reason, count in self._unreported.items():
            if count:
                log.warning("%s: dropped %d events: %s", self._sink, count, REASONS[reason])
                self._unreported[reason] = 0
