"""What Home Assistant learns about a stream.

One message describes a device with all its entities; see "MQTT Discovery" in
https://www.home-assistant.io/integrations/mqtt
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any

from vidan.events import KINDS

from .publications import encoded
from .state import ALL, Entities, Topics
from .topics import Publication, identifier, level

URL = "https://vidan.github.io/"

IS_OCCUPIED = "{{ 'ON' if value | int > 0 else 'OFF' }}"

OTHER = "other"
"""Type of the events of a kind that only a plugin has: Home Assistant takes no undeclared types."""

EVENT = (
    f"{{% set kinds = {list(KINDS)} %}}"
    "{% set event = value_json.data %}"
    "{{ {'event_type': event.kind if event.kind in kinds else '" + OTHER + "', "
    "'kind': event.kind, 'phase': event.phase, 'rule': event.rule, 'label': event.label, "
    "'track': event.track, 'id': value_json.id} | tojson }}"
)
"""Template of the attributes of an event of `format=vidan`."""

CHANGE = (
    "{{ {'event_type': value_json.type, 'label': value_json.after.label, "
    "'zones': value_json.after.current_zones, 'id': value_json.after.id} | tojson }}"
)
"""Template of the attributes of an event of `format=frigate`."""


class Discovery:
    """Describes a stream to Home Assistant.

    Args:
        prefix: of the topics of discovery, such as `homeassistant`.
        topics: of the values.
        form: format of the events.
    """

    def __init__(self, prefix: str, topics: Topics, form: str) -> None:
        self._prefix, self._topics, self._format = prefix, topics, form
        self.status_topic = f"{prefix}/status"

    def publication(self, found: Entities, images: Iterable[str]) -> Publication:
        """The message that describes a stream.

        Args:
            found: what has values.
            images: labels that have an image.
        """
        root = self._topics.prefix
        device = identifier(*root.split("/"), found.stream)
        components = {
            **self._objects(device, found),
            **self._zones(device, found),
            **self._crossings(device, found),
            **self._events(device, found.stream),
            **self._images(device, found.stream, sorted(images)),
        }
        payload = {
            "dev": {
                "ids": [device],
                "name": found.stream,
                "mf": "vidan",
                "mdl": "stream",
                "sw": version("vidan"),
            },
            "o": {"name": "vidan", "sw": version("vidan"), "url": URL},
            "cmps": components,
            "state_topic": self._topics.objects(found.stream),
            "avty": [{"topic": f"{root}/available"}],
        }
        return Publication(f"{self._prefix}/device/{device}/config", encoded(payload), retain=True)

    def _objects(self, device: str, found: Entities) -> dict[str, Any]:
        topic = self._topics.objects(found.stream)
        return _places(device, ("stream",), topic, "objects", "occupancy")

    def _zones(self, device: str, found: Entities) -> dict[str, Any]:
        components: dict[str, Any] = {}
        for zone, label in found.zones:
            topic, parts = self._topics.objects(zone, label), ("zone", zone)
            if label == ALL:
                components |= _places(device, parts, topic, zone, f"{zone} occupancy")
            else:
                name = f"{zone} {label}"
                components |= _sensor(device, (*parts, label), name, topic, "measurement")
        return components

    def _crossings(self, device: str, found: Entities) -> dict[str, Any]:
        components: dict[str, Any] = {}
        for line, direction, label in found.lines:
            topic = self._topics.crossings(found.stream, line, direction, label)
            name = f"{line} {direction}" if label == ALL else f"{line} {direction} {label}"
            parts = "line", line, direction, label
            components |= _sensor(device, parts, name, topic, "total_increasing")
        return components

    def _events(self, device: str, stream: str) -> dict[str, Any]:
        """None for ONVIF, whose payload does not tell what happened."""
        root = self._topics.prefix
        if self._format == "vidan":
            topic = f"{root}/{level(stream)}/events/#"
            return _component(device, ("events",), "event", name="events", state_topic=topic,
                              event_types=[*KINDS, OTHER], value_template=EVENT)  # fmt: skip
        if self._format == "frigate":
            types = ["new", "update", "end"]
            return _component(device, ("events",), "event", name="events",
                              state_topic=f"{root}/events", event_types=types,
                              value_template=CHANGE)  # fmt: skip
        return {}

    def _images(self, device: str, stream: str, labels: Sequence[str]) -> dict[str, Any]:
        components: dict[str, Any] = {}
        for label in labels:
            topic = self._topics.snapshot(stream, label)
            components |= _component(device, ("image", label), "image", name=label,
                                     image_topic=topic, content_type="image/jpeg")  # fmt: skip
        return components


def _places(
    device: str, parts: tuple[str, ...], topic: str, name: str, occupancy: str
) -> dict[str, Any]:
    """How many objects are in a place, and whether there are any."""
    return _sensor(device, (*parts, ALL), name, topic, "measurement") | _component(
        device,
        (*parts, "occupancy"),
        "binary_sensor",
        name=occupancy,
        state_topic=topic,
        device_class="occupancy",
        value_template=IS_OCCUPIED,
    )


def _sensor(
    device: str, parts: Sequence[str], name: str, topic: str, state_class: str
) -> dict[str, Any]:
    return _component(device, parts, "sensor", name=name, state_topic=topic,
                      state_class=state_class, unit_of_measurement="objects")  # fmt: skip


def _component(device: str, parts: Sequence[str], platform: str, **options: Any) -> dict[str, Any]:
    """One entity by its id, which is unique in all of Home Assistant."""
    unique = identifier(device, platform, *parts)
    return {unique: {"p": platform, "unique_id": unique, **options}}
