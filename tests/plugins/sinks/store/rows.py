"""Results and events to be stored."""

from dataclasses import replace
from pathlib import Path

from vidan.config.build import RunContext
from vidan.events import CROSSED, EXITED, Event
from vidan.testing import blank, result

RUN = RunContext("run1", 1_790_000_000.0, False, "cam", Path("unused"))


def crossing(number, *, stream="test", **data):
    """A crossing at a second, with an id from its number."""
    data = {"direction": "in", "joined": False, "delay": 0.25} | data
    return Event(
        *(f"{stream}/lines/door/{number}", CROSSED, "point", stream, "door", number / 10, number),
        *(number, "person", (1.0, 2.0, 3.0, 4.0), (2.0, 4.0), data),
    )


def visit_end(number, dwell):
    data = {"dwell": dwell, "end_of_stream": False, "delay": 0.0}
    return Event(f"v{number}", EXITED, "end", "test", "till", float(number), number, data=data)


def feed(sink, numbers, stream="test"):
    """A frame every 0.1 s, each with one crossing and one track."""
    for number in numbers:
        sink.emit([crossing(number, stream=stream)])
        frame = blank(number, time=number / 10, stream=stream)
        box = [[10 + number, 20, 30 + number, 60]]
        sink.write(replace(result(number, box), frame=frame))
