"""Checked against the rules that Home Assistant applies to discovery.

Sources, in home-assistant/core: homeassistant/components/mqtt/schemas.py at 0f5c1b547043 (a device
payload requires `device` with an identifier, `origin` with a name, and `components`, each with a
platform), abbreviations.py, discovery.py at 00b08a436e4d (topic), event.py (`event_types` is
required), image.py (`image_topic` or `url_topic` is required), sensor and binary_sensor (a state
topic and known classes); https://www.home-assistant.io/integrations/mqtt/#discovery-messages:
entities of a device need a `unique_id`. Home Assistant 2026.11.0 has been run with these payloads,
in all three formats: it made all entities and logged no warning.
"""

import json
import re

import pytest

from vidan_plugins.sinks.events.mqtt.discovery import Discovery
from vidan_plugins.sinks.events.mqtt.state import ALL, Entities, Topics

TOPIC = re.compile(r"homeassistant/device/[a-zA-Z0-9_-]+/config")

ABBREVIATIONS = {
    "dev": "device", "o": "origin", "cmps": "components", "avty": "availability", "p": "platform",
    "ids": "identifiers", "mf": "manufacturer", "mdl": "model", "sw": "sw_version",
    "url": "support_url",
}  # fmt: skip

ROOT = {"device", "origin", "components", "state_topic", "availability"}
DEVICE = {"identifiers", "name", "manufacturer", "model", "sw_version"}
ORIGIN = {"name", "sw_version", "support_url"}

COMMON = {"platform", "unique_id", "name"}
REQUIRED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "event": {"state_topic", "event_types"},
    "image": {"image_topic"},
}
OPTIONAL = {
    "sensor": {"state_class", "unit_of_measurement"},
    "binary_sensor": {"device_class", "value_template"},
    "event": {"value_template"},
    "image": {"content_type"},
}
STATE_CLASSES = {"measurement", "total", "total_increasing"}

FOUND = Entities(
    "front door/1",
    (("yard", ALL), ("yard", "person")),
    tuple(("gate 1/2", way, label) for way in ("in", "out") for label in (ALL, "person")),
)


def expanded(value):
    if isinstance(value, dict):
        return {ABBREVIATIONS.get(key, key): expanded(each) for key, each in value.items()}
    return [expanded(each) for each in value] if isinstance(value, list) else value


def discovered(form="vidan", prefix="vidan", found=FOUND):
    discovery = Discovery("homeassistant", Topics(prefix), form)
    return discovery.publication(found, ["person"])


def components(form="vidan"):
    return expanded(json.loads(discovered(form).payload))["components"]


def valid_topic(topic):
    """One to subscribe to: `#` is a whole level and the last one, `+` a whole level."""
    levels = topic.split("/")
    assert all(level in ("+", "#") or not set("+#\x00") & set(level) for level in levels)
    assert "#" not in levels[:-1]


@pytest.mark.parametrize("form", ["vidan", "frigate", "onvif"])
def test_the_payload_follows_the_rules(form):
    publication = discovered(form)
    assert TOPIC.fullmatch(publication.topic)
    assert publication.retain
    payload = expanded(json.loads(publication.payload))
    assert set(payload) == ROOT
    assert set(payload["device"]) == DEVICE
    assert payload["device"]["identifiers"]
    assert set(payload["origin"]) == ORIGIN
    assert payload["origin"]["support_url"].startswith("https://")
    assert [set(each) for each in payload["availability"]] == [{"topic"}]
    for unique, each in payload["components"].items():
        platform = each["platform"]
        assert set(each) >= COMMON | REQUIRED[platform], unique
        assert set(each) <= COMMON | REQUIRED[platform] | OPTIONAL[platform], unique
        assert each["unique_id"] == unique
        assert each.get("state_class", "measurement") in STATE_CLASSES
        for key, value in each.items():
            if key.endswith("_topic"):
                valid_topic(value)


def test_entities_have_the_classes_of_what_they_measure():
    found = [(e["platform"], e["name"], e.get("state_class")) for e in components().values()]
    assert ("sensor", "objects", "measurement") in found
    assert ("sensor", "yard person", "measurement") in found
    assert ("sensor", "gate 1/2 in", "total_increasing") in found
    assert ("binary_sensor", "yard occupancy", None) in found
    assert ("image", "person", None) in found
    occupied = [e for e in components().values() if e["platform"] == "binary_sensor"]
    assert {each["device_class"] for each in occupied} == {"occupancy"}


@pytest.mark.parametrize(("form", "count"), [("vidan", 1), ("frigate", 1), ("onvif", 0)])
def test_events_that_tell_what_happened_are_an_entity(form, count):
    assert sum(each["platform"] == "event" for each in components(form).values()) == count


def test_the_templates_give_what_home_assistant_expects():
    jinja2 = pytest.importorskip("jinja2")
    environment = jinja2.Environment(autoescape=False)
    found = components()
    occupied = next(e for e in found.values() if e["platform"] == "binary_sensor")
    render = environment.from_string(occupied["value_template"]).render
    assert [render(value=value) for value in ("0", "3")] == ["OFF", "ON"]
    entity = next(e for e in found.values() if e["platform"] == "event")
    render = environment.from_string(entity["value_template"]).render
    data = {"phase": "point", "rule": 'the "door"', "label": None, "track": 7}
    for kind, event_type in (("line.crossed", "line.crossed"), ("queue.long", "other")):
        text = render(value_json={"id": "a/1:1", "data": {"kind": kind, **data}})
        expected = {"event_type": event_type, "kind": kind, "id": "a/1:1", **data}
        assert json.loads(text) == expected
        assert event_type in entity["event_types"]


def test_streams_and_prefixes_are_different_devices():
    other = FOUND._replace(stream="front door_1")
    topics = {
        discovered().topic, discovered(found=other).topic, discovered(prefix="site/vidan").topic
    }  # fmt: skip
    assert len(topics) == 3
