import json
import time
from pathlib import Path

import pytest

from vidan.config.build import RunContext
from vidan.events import CROSSED, Event
from vidan_plugins.sinks.events.message import Messages, cloud_event


def crossed(number, seconds=1.5, **data):
    return Event(f"front door/door/{number}", CROSSED, "point", "front door", "door", seconds, 45,
                 data=data)  # fmt: skip


def of_run(name, *, live=False, began=1_000_000.0):
    return Messages(RunContext(name, began, live, "front_door", Path()))


def test_identities_differ_between_events_and_runs_and_are_repeated_when_a_run_is():
    events = [crossed(1), crossed(1), crossed(2)]  # an interval has one id in several events
    first, again, other = (of_run(run).of(events) for run in ("a", "a", "b"))
    identities = [(message.source, message.id) for message in first]
    assert identities == [(message.source, message.id) for message in again]
    assert len({*identities, *((message.source, message.id) for message in other)}) == 6
    assert [message.number for message in first] == [1, 2, 3]


def test_two_live_runs_outside_of_a_configuration_differ():
    assert Messages(None).of([crossed(1)])[0].source != Messages(None).of([crossed(1)])[0].source


def test_an_event_in_a_file_is_dated_from_the_start_of_the_run():
    assert of_run("a").of([crossed(1, delay=0.5)])[0].time == 1_000_001.5


def test_an_event_of_a_camera_is_dated_before_it_became_known():
    message = of_run("a", live=True).of([crossed(1, delay=0.5)])[0]
    assert time.time() - message.time == pytest.approx(0.5, abs=0.2)


def test_a_cloud_event_has_the_required_attributes():
    # https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes
    event = cloud_event(of_run("run", began=0.0).of([crossed(7, direction="in")])[0])
    assert event.pop("data")["data"] == {"direction": "in"}
    assert event == {
        "specversion": "1.0",
        "id": "front door/door/7:1",
        "source": "vidan/front%20door/run",
        "type": "io.github.vidan.line.crossed.v1",
        "subject": "front door/door",
        "time": "1970-01-01T00:00:01.500000Z",
        "datacontenttype": "application/json",
    }
    json.dumps(event, allow_nan=False)
