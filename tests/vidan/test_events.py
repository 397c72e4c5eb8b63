import json

import pytest

from vidan import Event


def test_a_record_has_its_keys_in_order():
    event = Event(
        "a/door/1", "line.crossed", "point", "a", "door", 1.5, 45, 7, "person",
        (1.0, 2.0, 3.0, 4.0), (2.0, 4.0), {"direction": "in"},
    )  # fmt: skip
    assert json.dumps(event.record()) == (
        '{"id": "a/door/1", "kind": "line.crossed", "phase": "point", "stream": "a", '
        '"rule": "door", "time": 1.5, "frame": 45, "track": 7, "label": "person", '
        '"box": [1.0, 2.0, 3.0, 4.0], "at": [2.0, 4.0], "data": {"direction": "in"}}'
    )


def test_an_event_may_be_about_no_track():
    record = Event("1", "zone.crowded", "start", "a", "till", 0.0, 0).record()
    assert [record[key] for key in ("track", "label", "box", "at")] == [None] * 4


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"phase": "begin"}, "phase: expected one of"), ({"time": float("nan")}, "time: expected a")],
)
def test_bad_values(changed, message):
    given = {"id": "1", "kind": "a.b", "phase": "point", "stream": "a", "rule": "r", "time": 0.0}
    with pytest.raises(ValueError, match=message):
        Event(**given | changed, frame=0)
