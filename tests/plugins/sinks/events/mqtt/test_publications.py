import json

import pytest

from vidan.events import APPEARED, CROSSED, ENTERED, EXITED, LOITERING, Event
from vidan_plugins.sinks.events.message import Messages
from vidan_plugins.sinks.events.mqtt.publications import FORMATTERS


def published(form, kind, phase="point", **data):
    event = Event("a/b/1", kind, phase, "front", "gate 1/2", 1.0, 30, 15, "person", data=data)
    message = Messages(None).of([event])[0]
    found = FORMATTERS[form]("site/vidan", message)
    return found and (found.topic, json.loads(found.payload), found.retain, message)


def test_an_event_is_a_cloud_event_below_its_stream_and_rule():
    topic, payload, retain, message = published("vidan", CROSSED, direction="in")
    assert topic == "site/vidan/front/events/gate 1_2/line.crossed"
    assert (payload["source"], payload["id"]) == (message.source, message.id)
    assert payload["data"]["data"] == {"direction": "in"}
    assert not retain


def test_a_crossing_has_the_topic_and_payload_of_the_example_of_onvif():
    # "Event Broker", example, in https://github.com/onvif/specs/blob/development/doc/Core.xml:
    # topic MyDevice/onvif-ej/RuleEngine/LineDetector/Crossed/&1/2/MyImportantFence1, a payload
    # with UtcTime, Source and Data; simple items are strings, numbers or true and false.
    topic, payload, retain, message = published("onvif", CROSSED)
    prefix = "site/vidan/onvif-ej/RuleEngine/"
    assert topic == f"{prefix}LineDetector/Crossed/&front/vidan/gate 1_2"
    source = {"VideoSource": "front", "AnalyticsConfiguration": "vidan", "Rule": "gate 1/2"}
    assert payload == {"UtcTime": message.utc, "Source": source, "Data": {"ObjectId": "15"}}
    assert payload["UtcTime"].endswith("Z")
    assert not retain


def test_properties_of_onvif_are_retained():
    # "For property events, the device shall set the retained flag", same chapter.
    for kind, phase, inside in ((ENTERED, "start", True), (EXITED, "end", False)):
        topic, payload, retain, _ = published("onvif", kind, phase)
        assert "/RuleEngine/FieldDetector/ObjectsInside/&front/vidan/" in topic
        assert payload["Data"] == {"ObjectId": "15", "IsInside": inside}
        assert retain


def test_loitering_of_onvif_says_since_when():
    topic, payload, retain, message = published("onvif", LOITERING, "update", dwell=10.0)
    assert "/RuleEngine/LoiteringDetector/ObjectIsLoitering/&front/vidan/" in topic
    assert payload["Data"]["Since"] < message.utc
    assert retain


def test_onvif_has_no_other_events():
    assert published("onvif", APPEARED, "start") is None


@pytest.mark.parametrize("form", FORMATTERS)
def test_text_that_is_not_unicode_is_published_with_escapes(form):
    event = Event("caf\udce9/1", CROSSED, "point", "caf\udce9", "\ud800", 1.0, 30, 15, "\udcff",
                  data={"from": "\udcff", "labels": ["\udcff"]})  # fmt: skip
    found = FORMATTERS[form]("vidan", Messages(None).of([event])[0])
    found.topic.encode()
    assert "caf\\\\udce9" in found.payload.decode()
