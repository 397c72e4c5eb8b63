"""`sink=mqtt`: events, counts and images for an MQTT broker."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from vidan import options
from vidan.config.build import RunContext
from vidan.errors import ConfigError
from vidan.events import Event, Measure
from vidan.types import Result

from ...deferred import MESSAGE_DELAY_S
from ...tls import load_certificate, trusting
from ..delivery import DRAIN_S, SPOOL_SIZE, Delivery, open_spool
from ..message import Message, Messages
from .broker import Broker
from .discovery import Discovery
from .frigate import FrigateObjects
from .images import ObjectImages
from .publications import FORMATTERS, Formatter
from .session import Address
from .state import Entities, Topics, entities, values
from .topics import check_prefix

EVERY_S = 0.5
"""Shortest time between two publications of counts, s."""

DESCRIBE_EVERY_S = 5.0
"""Shortest time between two descriptions of the stream, s. Home Assistant may take seconds for one,
and ignores the new entities of another that arrives meanwhile."""

PORT, TLS_PORT = 1883, 8883


class Mqtt:
    """Publishes events, and keeps counts and images up to date at a broker.

    Events are delivered at least once, in order: they wait on disk while the broker is down. All
    messages have quality of service 1.

    | topic | content |
    |---|---|
    | `<prefix>/available` | `online`, or `offline` as the last will; retained |
    | `<prefix>/<stream>/<label>`, `…/all` | number of objects; retained |
    | `<prefix>/<zone>/<label>`, `…/all` | number of objects in a zone; retained |
    | `<prefix>/<stream>/lines/<line>/<direction>/<label>`, `…/all` | crossings; retained |
    | `<prefix>/<stream>/<label>/snapshot` | JPEG of the newest object; retained |
    | `<prefix>/<stream>/events/<rule>/<kind>` | `format=vidan`: a CloudEvent |
    | `<prefix>/events` | `format=frigate`: a change of an object |
    | `<prefix>/onvif-ej/RuleEngine/…` | `format=onvif`: an event of ONVIF Profile M |

    In names of streams, zones, lines and labels, `+`, `#`, `/` and control characters become `_`.

    Args:
        host: name or address of the broker.
        port: its port; None for 1883, or 8883 with TLS.
        format: of the events.
        prefix: of all topics.
        username: None for none.
        password_env: name of the environment variable that has the password; None for none.
        tls: whether the connection is encrypted.
        ca: PEM file of the authorities that may have signed the broker's certificate; None for
            those of the system.
        certificate: PEM file of the client's own certificate; requires `key`.
        key: PEM file with its private key, without a password.
        protocol: version of MQTT.
        client_id: of the connection; None for a random one.
        discovery: prefix of Home Assistant's discovery, such as `homeassistant`; None for none.
        images: whether to publish images of objects.
        quality: of the images, 1 to 100.
        spool: file for events that wait; None for one in `runs/spool` for each stream.
        spool_size: number of events that wait at most; beyond it the oldest are dropped.
        drain: how long the end of a run waits for the broker, s.
        run: which run it is.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the spool cannot be written, or the broker refuses the connection.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: Annotated[int, Meta(ge=1, le=65535)] | None = None,
        format: Literal["vidan", "frigate", "onvif"] = "vidan",  # noqa: A002 - the option's name
        prefix: str = "vidan",
        username: str | None = None,
        password_env: str | None = None,
        tls: bool = False,
        ca: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        protocol: Literal[5, "3.1.1"] = 5,
        client_id: str | None = None,
        discovery: str | None = None,
        images: bool = False,
        quality: Annotated[int, Meta(ge=1, le=100)] = 85,
        spool: str | None = None,
        spool_size: Annotated[int, Meta(ge=1)] = SPOOL_SIZE,
        drain: Annotated[float, Meta(ge=0)] = DRAIN_S,
        run: RunContext | None = None,
    ) -> None:
        self._topics = Topics(check_prefix("prefix", prefix))
        self._discovery = None
        if discovery is not None:
            self._discovery = Discovery(check_prefix("discovery", discovery), self._topics, format)
        address = Address(
            _host(host),
            port or (TLS_PORT if tls else PORT),
            protocol,
            client_id,
            username,
            _password(username, password_env),
            _tls(tls, ca, certificate, key),
        )
        # Every result: what changes by time, such as updates, is then the same in a resumed run.
        self.lossless = format == "frigate"
        self.write_delay = 0.0 if images else MESSAGE_DELAY_S
        self._objects = FrigateObjects(snapshots=images) if format == "frigate" else None
        self._images = ObjectImages(quality) if images else None
        self._messages = Messages(run)
        self._entities: Entities | None = None
        self._with_image: set[str] = set()
        self._is_described = False
        self._describe_due = 0.0
        self._due = 0.0
        self._last: Result | None = None
        self._broker = Broker(
            address,
            prefix,
            lambda message: _formatter(format, message),
            self._discovery.status_topic if self._discovery else None,
        )
        file = open_spool("mqtt", spool, spool_size, run)
        self._delivery = Delivery("mqtt", self._broker, file, drain=drain)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: store events, to be delivered."""
        messages = self._messages.of(events)
        if self._objects is not None:
            messages = list(self._objects.changes(messages))
        if self._images is not None:
            self._images.notice(events)
        self._delivery.put(messages)

    def write(self, result: Result) -> None:
        """Publish what has changed, twice per second."""
        self._delivery.check()
        if self._objects is not None:
            self._delivery.put(list(self._objects.see(result)))
        if self._images is not None:
            self._publish_images(self._images, result)
        self._last = result
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY_S
            self._publish_values()

    def measures(self) -> Mapping[Measure, float]:
        """See Measuring."""
        return self._delivery.measures()

    def close(self) -> None:
        """Publish the last values, and wait for the broker for a while; see `Delivery.close`."""
        try:
            self._publish_values()
            self._describe_due = 0.0
            self._describe()
        finally:
            self._delivery.close()

    def _publish_values(self) -> None:
        result, self._last = self._last, None
        if result is None:
            return
        found = entities(result)
        if found != self._entities:
            self._entities = found
            self._broker.own(self._topics.owned(found))
            self._is_described = False
        self._describe()
        self._broker.keep(
            {topic: b"%d" % value for topic, value in values(result, self._topics).items()}
        )

    def _publish_images(self, images: ObjectImages, result: Result) -> None:
        for label, image in images.of(result):
            self._broker.keep({self._topics.snapshot(result.frame.stream, label): image})
            if label not in self._with_image:
                self._with_image.add(label)
                self._is_described = False

    def _describe(self) -> None:
        """Tell Home Assistant what there is, if that has changed and the last time is long ago."""
        if self._discovery is None or self._entities is None or self._is_described:
            return
        if time.monotonic() >= self._describe_due:
            self._describe_due = time.monotonic() + DESCRIBE_EVERY_S
            self._is_described = True
            topic, payload, _ = self._discovery.publication(self._entities, self._with_image)
            self._broker.keep({topic: payload})


def _formatter(form: str, message: Message) -> Formatter:
    """That of the sink, or of the run that left a message in the spool with another format."""
    is_change = "before" in message.event
    if is_change or form == "frigate":
        return FORMATTERS["frigate" if is_change else "vidan"]
    return FORMATTERS[form]


def _host(host: str) -> str:
    if set(options.text("host", host)) & set("/@"):  # not shown, since a URL may have a password
        raise ConfigError(
            "host: expected a name or an address, not a URL: set port, tls, username and "
            "password_env"
        )
    return host


def _password(username: str | None, variable: str | None) -> str | None:
    if variable is None:
        return None
    if username is None:
        raise ConfigError(f"password_env={variable!r}: requires username")
    return options.environment("password_env", variable, "the password")


def _tls(
    enabled: bool, ca: str | None, certificate: str | None, key: str | None
) -> ssl.SSLContext | None:
    if not enabled:
        for name, value in {"ca": ca, "certificate": certificate, "key": key}.items():
            if value is not None:
                raise ConfigError(f"{name}={value!r}: requires tls=true")
        return None
    context = trusting(ca)
    load_certificate(context, certificate, key)
    return context
