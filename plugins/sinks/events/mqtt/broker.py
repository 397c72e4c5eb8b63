"""The broker that a run publishes to, over any number of connections."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from vidan.errors import SinkError

from ..connecting import RefusedError
from ..delivery import DeliveryError
from ..message import Message
from .publications import Formatter
from .session import OFFLINE, ONLINE, Address, Session
from .topics import Publication

log = logging.getLogger(__name__)


class Broker:
    """Publishes messages, and values that the broker keeps. It is a `Receiver`.

    A connection is never used again after a failure: paho would send what it has queued on its own,
    and what is not acknowledged comes from the spool anyway.

    Args:
        address: of the broker.
        prefix: of all topics.
        formatter: makes a publication of a message.
        republish_on: topic of which the message `online` asks for all values again; None for none.
    """

    def __init__(
        self,
        address: Address,
        prefix: str,
        formatter: Callable[[Message], Formatter],
        republish_on: str | None,
    ) -> None:
        self._address, self._prefix, self._formatter = address, prefix, formatter
        self._republish_on = republish_on
        self._available = f"{prefix}/available"
        self._session: Session | None = None
        self._was_connected = False
        self._values: dict[str, bytes] = {}
        self._owned: frozenset[str] = frozenset()
        self._publishing = threading.Lock()  # the values, in their order

    def keep(self, values: Mapping[str, bytes]) -> None:
        """Let the broker keep values by topic, now and after each connection.

        Values that it has already are not sent. Called by another thread than the other methods,
        and does not wait.
        """
        with self._publishing:
            for topic, payload in values.items():
                if self._values.get(topic) != payload:
                    self._values[topic] = payload
                    if self._session is not None:
                        self._session.publish(Publication(topic, payload, retain=True))

    def own(self, filters: Iterable[str]) -> None:
        """Set numbers that an earlier run left at the broker to 0, unless they have a value.

        Args:
            filters: of topics under which nobody else publishes, with `+` for any level.
        """
        self._owned = frozenset(filters)

    def connect(self) -> None:
        """See `Receiver`."""
        self._drop()
        session = Session(self._address, self._available, self._republish_on)
        try:
            session.start()
        except RefusedError as error:
            session.stop()
            if self._was_connected:  # with the same options, so that they are not the reason
                raise DeliveryError(str(error)) from error
            raise SinkError(str(error)) from error
        except BaseException:
            session.stop()
            raise
        self._was_connected = True
        log.info("mqtt: connected to %s", self._address)
        self._introduce(session)

    def deliver(self, messages: Sequence[Message]) -> int:
        """See `Receiver`."""
        session = self._session
        assert session is not None
        if session.is_asked():
            self._introduce(session)
        session.seek(self._owned)
        self._reset(session.found())
        publications = [self._formatter(m)(self._prefix, m) for m in messages]
        return session.deliver([p for p in publications if p is not None])

    def close(self) -> None:
        """See `Receiver`: `available` becomes `offline`."""
        with self._publishing:
            session, self._session = self._session, None
        if session is not None:
            session.finish(Publication(self._available, OFFLINE, retain=True))

    def _introduce(self, session: Session) -> None:
        """Publish everything that the broker shall keep."""
        with self._publishing:
            self._session = session
            session.publish(Publication(self._available, ONLINE, retain=True))
            for topic, payload in self._values.items():
                session.publish(Publication(topic, payload, retain=True))

    def _reset(self, topics: Iterable[str]) -> None:
        """Set values that an earlier run left to 0."""
        with self._publishing:
            left = {topic: b"0" for topic in topics if topic not in self._values}
        self.keep(left)

    def _drop(self) -> None:
        with self._publishing:
            session, self._session = self._session, None
        if session is not None:
            session.stop()
