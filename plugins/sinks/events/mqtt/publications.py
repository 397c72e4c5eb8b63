"""What a broker gets for each event, in the formats without memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from vidan.events import CROSSED, ENTERED, EXITED, LOITERING
from vidan.support.text import valid_unicode

from ..message import Message, cloud_event
from .topics import Publication, level

Formatter = Callable[[str, Message], Publication | None]
"""The publication of a message below a prefix; None for a message that the format does not have."""

ANALYTICS = "vidan"
"""Name of the analytics configuration in ONVIF messages."""


def encoded(value: object) -> bytes:
    """A value as JSON."""
    return msgspec.json.encode(valid_unicode(value))


def vidan(prefix: str, message: Message) -> Publication | None:
    """A CloudEvent under `<prefix>/<stream>/events/<rule>/<kind>`."""
    event = message.event
    path = level(event["stream"]), "events", level(event["rule"]), level(event["kind"])
    return Publication("/".join((prefix, *path)), encoded(cloud_event(message)))


def frigate(prefix: str, message: Message) -> Publication | None:
    """A change of a tracked object under `<prefix>/events`; see `.frigate`."""
    return Publication(f"{prefix}/events", encoded(message.event))


def onvif(prefix: str, message: Message) -> Publication | None:
    """An event of ONVIF Profile M; the retained ones are properties.

    The topic is `<prefix>/onvif-ej/RuleEngine/<detector>/<event>/&<source>/vidan/<rule>`; see
    "Event Broker" in https://github.com/onvif/specs/blob/development/doc/Core.xml
    """
    found = _onvif_event(message)
    if found is None:
        return None
    topic, data, is_property = found
    event = message.event
    source = {
        "VideoSource": event["stream"],
        "AnalyticsConfiguration": ANALYTICS,
        "Rule": event["rule"],
    }
    values = "/".join(level(value) for value in source.values())
    return Publication(
        f"{prefix}/onvif-ej/RuleEngine/{topic}/&{values}",
        encoded({"UtcTime": message.utc, "Source": source, "Data": data}),
        is_property,
    )


def _onvif_event(message: Message) -> tuple[str, Mapping[str, Any], bool] | None:
    """Topic, data, and whether it is a property, whose last value is kept."""
    event = message.event
    tracked = {"ObjectId": str(event["track"])}
    match event["kind"]:
        case kind if kind == CROSSED:
            return "LineDetector/Crossed", tracked, False
        case kind if kind in (ENTERED, EXITED):
            inside = {**tracked, "IsInside": kind == ENTERED}
            return "FieldDetector/ObjectsInside", inside, True
        case kind if kind == LOITERING:
            since = datetime.fromtimestamp(message.time - event["data"].get("dwell", 0.0), UTC)
            data = {**tracked, "Since": f"{since:%Y-%m-%dT%H:%M:%S.%fZ}"}
            return "LoiteringDetector/ObjectIsLoitering", data, True
    return None


FORMATTERS: Mapping[str, Formatter] = {"vidan": vidan, "frigate": frigate, "onvif": onvif}
"""By the name of the format."""
