import json

from vidan.events import CROSSED, Event
from vidan.interfaces import Sink
from vidan.testing import SinkSuite
from vidan_plugins.sinks.events.file import EventLines

KEYS = ["id", "kind", "phase", "stream", "rule", "time"]
KEYS += ["frame", "track", "label", "box", "at", "data"]


class TestEventLines(SinkSuite):
    def make(self, tmp_path):
        return EventLines(str(tmp_path / "events.jsonl"))

    def check(self, tmp_path, results):
        lines = (tmp_path / "events.jsonl").read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == [
            event.id for result in results for event in result.events
        ]


def test_keys_are_in_order_and_the_file_can_be_read_before_it_is_closed(tmp_path):
    sink = EventLines(str(tmp_path / "events.jsonl"))
    data = {"direction": "in", "joined": False, "delay": 0.1234567}
    box = (1.0, 2.0, 3.333, 4.0)
    sink.emit(
        [Event("a/b/1", CROSSED, "point", "a", "b", 1.5, 45, 7, "car", box, (2.0, 4.0), data)]
    )
    record = json.loads((tmp_path / "events.jsonl").read_text())
    assert list(record) == KEYS
    assert record["box"] == [1, 2, 3.33, 4]
    assert record["data"] == data | {"delay": 0.123457}
    assert not isinstance(sink, Sink)  # it gets events only
    sink.close()
