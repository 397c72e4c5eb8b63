import logging
from dataclasses import replace

import numpy as np
import pytest

from vidan import ConfigError, SinkError
from vidan.events import CROSSED, CROWDED, ENTERED, EXITED, LOITERING, Event, Shape
from vidan.testing import result
from vidan_plugins.sinks.events.filter import EventFilter, Trigger


def event(kind=CROSSED, time=1.0, number=1, phase="point", rule="door", label="car"):
    return Event(str(number), kind, phase, "s", rule, time, 0, 7, label)


@pytest.mark.parametrize(
    ("chosen", "taken"),
    [
        ({"events": CROSSED}, [CROSSED]),
        ({"events": "zone.*"}, [ENTERED, EXITED, LOITERING]),
        ({"events": ["*.left", LOITERING]}, [EXITED, LOITERING]),
        ({"events": "*", "rules": "gate"}, []),
        ({"events": "*", "labels": ["bus"]}, []),
        ({"events": "plates.read"}, []),  # of a plugin
    ],
)
def test_events_are_chosen_by_kind_rule_and_label(chosen, taken):
    kinds = [CROSSED, ENTERED, EXITED, LOITERING]
    assert [kind for kind in kinds if EventFilter(**chosen).takes(event(kind))] == taken


def test_events_without_a_label_are_not_of_a_label():
    assert not EventFilter("*", labels="car").takes(event(CROWDED, label=None))


@pytest.mark.parametrize("kind", ["line.crosed", "lines.crossed", "zone.x*", "zone", "object.*s"])
def test_a_kind_that_vidan_does_not_have_is_an_error(kind):
    with pytest.raises(ConfigError, match=f"^events: no kind '{kind[:4]}"):
        EventFilter([CROSSED, kind])


def test_labels_and_rules_are_checked_with_the_first_result(caplog):
    shape = Shape("path", np.zeros((2, 2), np.float32), rule="door")
    first = replace(result(labels=("car", "bus")), shapes=(shape,))
    with pytest.raises(SinkError, match=r"^labels: no label 'cat': did you mean 'car'"):
        EventFilter("*", labels=["cat"]).check(first)
    with caplog.at_level(logging.WARNING):
        EventFilter("*", rules=["door", "presence"]).check(first)
        assert not caplog.records
        EventFilter("*", rules=["dor"]).check(first)
    assert "no line or zone 'dor': did you mean 'door'?" in caplog.text


def test_the_cooldown_is_for_each_kind_rule_and_label():
    trigger = Trigger(EventFilter("*"), 3.0)
    given = [event(time=t, number=t) for t in range(8)]
    assert [e.time for e in trigger.select(given)] == [0, 3, 6]
    others = [event(time=8, rule="gate"), event(time=8, label="bus"), event(EXITED, time=8)]
    assert trigger.select(others) == others


def test_an_interval_triggers_once_for_each_kind():
    trigger = Trigger(EventFilter("*"), 0.0)
    given = [
        event(CROWDED, 1, 1, "start"), event(CROWDED, 2, 1, "update"), event(CROWDED, 3, 1, "end"),
        event(ENTERED, 4, 2, "start"), event(EXITED, 5, 2, "end"), event(CROWDED, 6, 3, "start"),
    ]  # fmt: skip
    assert [e.time for e in trigger.select(given)] == [1, 4, 5, 6]


def test_events_are_in_the_order_in_which_they_happened():
    trigger = Trigger(EventFilter("*"), 0.0)
    assert [e.time for e in trigger.select([event(time=2), event(time=1)])] == [1, 2]


def test_the_memory_of_intervals_is_limited():
    trigger = Trigger(EventFilter("*"), 0.0)
    trigger.select(event(CROWDED, n, n, "start") for n in range(20_000))
    assert len(trigger._intervals) == 10_000
