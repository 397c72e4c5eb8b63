"""One connection to an MQTT broker."""

from __future__ import annotations

import logging
import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from vidan.errors import SinkError

from ..connecting import RefusedError, connecting
from ..delivery import DeliveryError
from .topics import Publication

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 30
"""Longest time without a message; the broker sends the last will after 1.5 times as much."""

ANSWER_S = 10.0
"""How long a broker may take for an answer, s."""

QOS = 1

ONLINE, OFFLINE = b"online", b"offline"

PERMANENT = {
    "Unsupported protocol version": "the broker does not support it: set protocol={other}",
    "Client identifier not valid": "the broker refuses client_id",
    "Bad user name or password": "wrong username or password",
    "Not authorized": "wrong username or password, or no permission to connect",
    "Banned": "the broker refuses this client",
    "Bad authentication method": "the broker requires another kind of authentication",
}
"""Answers to a connection that trying again does not change."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is, and how to connect to it.

    Attributes:
        host: its name or address.
        port: its port.
        protocol: version of MQTT.
        client_id: of the connection; None for a random one.
        username: None for none.
        password: None for none.
        tls: None for a connection that is not encrypted.
    """

    host: str
    port: int
    protocol: Literal[5, "3.1.1"] = 5
    client_id: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"the MQTT broker at {self.host!r}, port {self.port}"


class Session:
    """One connection, from its start to its loss."""

    def __init__(self, address: Address, available: str, republish_on: str | None) -> None:
        self._address = address
        self._republish_on = republish_on
        self._changed = threading.Condition()
        self._answer: ReasonCode | None = None
        self._lost: str | None = None
        self._acknowledged: dict[int, ReasonCode] = {}
        self._awaited = 0
        self._asked = threading.Event()
        self._sought: frozenset[str] = frozenset()
        self._found: deque[str] = deque()
        self._client = self._made()
        self._client.will_set(available, OFFLINE, QOS, retain=True)

    def _made(self) -> paho.Client:
        address = self._address
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            address.client_id or f"vidan-{uuid.uuid4().hex[:12]}",
            protocol=paho.MQTTv5 if address.protocol == 5 else paho.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = ANSWER_S
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.tls is not None:
            client.tls_set_context(address.tls)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def start(self) -> None:
        """Connect, and wait for the broker's answer.

        Raises:
            RefusedError: the broker does not exist, or refuses the connection.
            DeliveryError: it cannot be reached.
        """
        place = self._address
        with connecting(place):
            self._client.connect(place.host, place.port, KEEP_ALIVE_S)
        self._client.loop_start()
        with self._changed:
            self._changed.wait_for(lambda: self._answer or self._lost, ANSWER_S)
        self._check_answer()
        if self._republish_on is not None:
            self._client.subscribe(self._republish_on, QOS)

    def _check_answer(self) -> None:
        place, answer = self._address, self._answer
        if answer is None:
            raise DeliveryError(f"{place} does not answer: {self._lost or 'nothing for 10 s'}")
        if not answer.is_failure:
            return
        why = PERMANENT.get(answer.getName())
        if why is None:
            raise DeliveryError(f"{place} refuses the connection: {answer}")
        other = "3.1.1" if place.protocol == 5 else "5"
        raise RefusedError(f"{place} refuses the connection: {why.format(other=other)}")

    def publish(self, publication: Publication) -> int:
        """Send without waiting; the number of the message."""
        topic, payload, retain = publication
        return self._client.publish(topic, payload, QOS, retain).mid

    def deliver(self, publications: Sequence[Publication]) -> int:
        """Send, and wait until all are acknowledged; how many the broker refuses for good.

        Raises:
            DeliveryError: the connection is lost.
            SinkError: the broker does not allow one of the topics.
        """
        self._acknowledged.clear()
        sent = {self.publish(each): each for each in publications}
        for number in reversed(sent):  # the last one is acknowledged last
            self._wait_for(number)
        if self._lost is not None:
            raise DeliveryError(f"lost the connection to {self._address}: {self._lost}")
        refused = [
            (self._acknowledged[number], each.topic)
            for number, each in sent.items()
            if self._acknowledged[number].is_failure
        ]
        for reason, topic in refused:
            if reason.getName() == "Not authorized":
                raise SinkError(f"{self._address} does not allow to publish {topic!r}")
            if reason.getName() == "Quota exceeded":
                raise DeliveryError(f"{self._address} takes no more messages: {reason}")
            log.debug("mqtt: %s: %s", topic, reason)
        return len(refused)

    def _wait_for(self, number: int) -> None:
        with self._changed:
            self._awaited = number
            end = time.monotonic() + ANSWER_S
            while number not in self._acknowledged and self._lost is None:
                if not self._changed.wait(end - time.monotonic()):
                    self._lost = f"no acknowledgment for {ANSWER_S:.0f} s"

    def is_asked(self) -> bool:
        """Whether someone asked for all values since the last call."""
        asked = self._asked.is_set()
        self._asked.clear()
        return asked

    def seek(self, filters: frozenset[str]) -> None:
        """Ask for the topics of numbers that the broker keeps; they are in `found` later."""
        for each in filters - self._sought:
            self._client.subscribe(each, QOS)
        self._sought = filters

    def found(self) -> list[str]:
        """Topics since the last call."""
        return [self._found.popleft() for _ in range(len(self._found))]

    def finish(self, last: Publication) -> None:
        """Send a last message, and end the connection so that the broker sends no will."""
        if self._lost is None:
            self._acknowledged.clear()
            self._wait_for(self.publish(last))
        self.stop()

    def stop(self) -> None:
        """End the connection."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _: Any) -> None:
        with self._changed:
            self._answer = reason
            self._changed.notify_all()

    def _disconnected(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _: Any
    ) -> None:
        with self._changed:
            self._lost = self._lost or str(reason).lower()
            self._changed.notify_all()

    def _published(self, _client: Any, _data: Any, number: int, reason: ReasonCode, _: Any) -> None:
        with self._changed:
            self._acknowledged[number] = reason
            if number == self._awaited:
                self._changed.notify_all()

    def _received(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic == self._republish_on:
            if message.payload == ONLINE:
                self._asked.set()
        elif message.retain and message.payload.isdigit():
            self._found.append(message.topic)
