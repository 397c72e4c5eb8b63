import csv
import os
import sys
import time
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from vidan import ConfigError, PluginError, SinkError
from vidan.config.build import BuildContext, build
from vidan.events import CROSSED, ENTERED, EXITED, FLOW, LOITERING, PASSED, Event, Measure, Shape
from vidan.testing import SinkSuite, blank, result
from vidan_plugins.sinks.counts import tables
from vidan_plugins.sinks.counts.sink import Counts

DOOR = Shape("path", np.zeros((2, 2), np.float32), rule="door", inward="right")
TILL = Shape("polygon", np.zeros((3, 2), np.float32), rule="till")


class TestCounts(SinkSuite):
    def make(self, tmp_path):
        return Counts(str(tmp_path / "counts.csv"))

    def check(self, tmp_path, results):
        assert read(tmp_path / "counts.csv") == []  # nothing of it is counted


def read(path):
    """The rows without empty values."""
    with path.open(newline="") as file:
        return [{k: v for k, v in row.items() if v != ""} for row in csv.DictReader(file)]


def crossed(at, direction="in", *, delay=0.0, label="car", rule="door"):
    data = {"direction": direction, "delay": delay}
    return Event(str(at), CROSSED, "point", "s", rule, at, 0, 7, label, data=data)


def visit(kind, at, *, delay=0.0, **data):
    return Event("1", kind, "end", "s", "till", at, 0, 7, "car", data=data | {"delay": delay})


def run(sink, events, until, *, shapes=(), step=1.0, objects=(), start=0.0):
    """Give the sink a frame each `step` s, and the events when they are known; do not close it."""
    left = sorted(events, key=lambda e: e.known)
    for at in np.arange(start, until, step).tolist():
        known = []
        while left and left[0].known <= at:
            known.append(left.pop(0))
        sink.emit(known)
        number = dict(objects).get(at)
        label = (("zone", "till"), ("label", "car"))
        measures = {} if number is None else {Measure("zone_objects", label): float(number)}
        frame = blank(round(at * 30), time=at, captured=time.monotonic())
        sink.write(replace(result(), frame=frame, shapes=shapes, measures=measures))
    sink.emit(left)
    return sink


def table(tmp_path, events, until, *, interval="1min", **given):
    """The rows after a run over a file."""
    frames = {key: given.pop(key) for key in ("shapes", "objects", "step") if key in given}
    path = tmp_path / "counts.csv"
    run(Counts(str(path), interval, **given), events, until, **frames).close()
    return read(path)


def lines(rows):
    """Start, direction, label and count of each row."""
    return [(float(r["start"]), r["direction"], r.get("label"), int(r["count"])) for r in rows]


def test_crossings_are_counted_by_interval_direction_and_label(tmp_path):
    events = [crossed(5), crossed(6, "out"), crossed(59), crossed(61), crossed(62, label="bus")]
    assert lines(table(tmp_path, events, 100)) == [
        *[(0, "in", "bus", 0), (0, "in", "car", 2), (0, "out", "bus", 0), (0, "out", "car", 1)],
        *[(60, "in", "bus", 1), (60, "in", "car", 1), (60, "out", "bus", 0), (60, "out", "car", 0)],
    ]


def test_an_event_counts_in_the_interval_in_which_it_happened(tmp_path):
    events = [crossed(59.5, delay=0.9), crossed(30, delay=60)]
    rows = lines(table(tmp_path, events, 200))
    assert [row for row in rows if row[3]] == [(0, "in", "car", 2)]


def test_an_event_that_is_known_too_late_gets_a_further_row(tmp_path):
    rows = lines(table(tmp_path, [crossed(30), crossed(40, delay=150)], 240, max_delay=10.0))
    assert [row for row in rows if row[0] == 0] == [
        (0, "in", "car", 1),
        (0, "out", "car", 0),
        (0, "in", "car", 1),
    ]


def test_lines_and_zones_without_events_have_rows_with_zeros(tmp_path):
    rows = table(tmp_path, [crossed(70)], 130, shapes=(DOOR, TILL))
    assert lines(rows[:2]) == [(0, "in", "car", 0), (0, "out", "car", 0)]
    assert {(r["type"], r["name"], r.get("label")) for r in rows} == {
        ("line", "door", "car"),
        ("zone", "till", None),
    }
    assert len(rows) == 3 * 3
    quiet = table(tmp_path, [], 60, shapes=(DOOR,))
    assert lines(quiet) == [(0, "in", None, 0), (0, "out", None, 0)]


def test_visits_dwell_and_occupancy_of_a_zone(tmp_path):
    events = [
        visit(ENTERED, 5), visit(EXITED, 15, dwell=10.0), visit(PASSED, 20, dwell=1.0),
        visit(EXITED, 30, dwell=20.0), visit(LOITERING, 35), visit(ENTERED, 70),
        visit(EXITED, 119, dwell=49.0, end_of_stream=True),
    ]  # fmt: skip
    objects = {3.0: 2, 4.0: 5, 50.0: 1, 70.0: 3}
    first, second = table(tmp_path, events, 120, objects=objects)
    expected = {"type": "zone", "name": "till", "label": "car", "interval": "60.0"}
    assert first == expected | {
        "start": "0.0",
        "stream": "test",
        "count": "1",
        "exited": "2",
        "passed": "1",
        "visits": "2",
        "mean_dwell": "15.0",
        "max_objects": "5",
    }
    assert second == expected | {
        "start": "60.0",
        "stream": "test",
        "count": "1",
        "exited": "0",
        "passed": "0",
        "visits": "1",
        "mean_dwell": "49.0",
        "max_objects": "3",
    }


def test_flows_have_an_origin_and_a_destination(tmp_path):
    data = {"origin": "door", "destination": "till", "seconds": 3.0}
    flow = Event("1", FLOW, "point", "s", "flows", 5.0, 0, 7, "car", data=data)
    (row,) = table(tmp_path, [flow, replace(flow, time=6.0)], 30)
    assert (row["type"], row["name"], row["destination"], row["count"]) == (
        *("flow", "door", "till", "2"),
    )


def test_several_intervals_are_in_one_table(tmp_path):
    events = [crossed(n) for n in range(0, 3600, 100)]
    rows = table(tmp_path, events, 3600, interval=["1h", "15min", 60])
    counts = {}
    for row in rows:
        counts.setdefault(row["interval"], []).append(int(row["count"]))
    assert {key: sum(values) for key, values in counts.items()} == dict.fromkeys(counts, 36)
    assert {key: len(values) / 2 for key, values in counts.items()} == {
        "60.0": 60, "900.0": 4, "3600.0": 1,
    }  # fmt: skip


def test_an_interval_without_frames_has_no_rows(tmp_path):
    sink = Counts(str(tmp_path / "c.csv"), "1min")
    run(sink, [crossed(5)], 60)
    run(sink, [crossed(7205)], 7260, start=7200)
    sink.close()
    assert {float(row["start"]) for row in read(tmp_path / "c.csv")} == {0, 7200}


def test_the_file_can_be_read_during_the_run(tmp_path):
    path = tmp_path / "counts.csv"
    sink = run(Counts(str(path), "1min", max_delay=5.0), [crossed(5), crossed(61)], 64)
    assert read(path) == []
    run(sink, [], 67, start=65)
    assert lines(read(path)) == [(0, "in", "car", 1), (0, "out", "car", 0)]
    sink.close()
    sink.close()
    assert len(read(path)) == 4


def test_a_file_with_a_known_time_of_recording_has_local_times(tmp_path):
    rows = table(tmp_path, [crossed(700)], 1000, interval="15min", recorded="2026-11-23T08:05:00")
    starts = [datetime.fromisoformat(row["start"]) for row in rows if row["count"] == "1"]
    assert starts == [datetime(2026, 11, 23, 8, 15).astimezone()]
    assert starts[0].utcoffset() is not None


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="no tzset on Windows")
def test_intervals_keep_their_places_when_clocks_go_forward(tmp_path, berlin):
    events = [crossed(float(n)) for n in range(30, 10_800, 3600)]  # 01:00, 03:00, 04:00
    start = "2026-03-29T01:00:00"
    rows = table(tmp_path, events, 10_800, interval="1h", recorded=start, step=10.0)
    starts = [row["start"] for row in rows if row["count"] == "1"]
    assert starts == [
        f"2026-03-29T0{hour}" for hour in ("1:00:00+01:00", "3:00:00+02:00", "4:00:00+02:00")
    ]


def test_a_camera_counts_by_the_clock(tmp_path):
    context = BuildContext(live_source=True)
    config = {"name": "counts", "path": str(tmp_path / "c.csv"), "interval": "1h"}
    sink = build("sink", config, context=context)
    before = datetime.now().astimezone()
    run(sink, [crossed(1000)], 1001, step=1000, start=1000)
    sink.close()
    first = read(tmp_path / "c.csv")[0]
    start = datetime.fromisoformat(first["start"])
    assert (start.minute, start.second) == (0, 0)
    assert abs((before - start).total_seconds() - 1800) <= 1801


def test_parquet_can_be_read_at_any_time_and_has_types(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tables, "REWRITE_AFTER_S", 0.0)
    path = tmp_path / "deep/counts.parquet"
    sink = Counts(str(path), "1min", recorded="2026-11-23T08:00:00", max_delay=0.0)
    assert parquet.read_table(path).num_rows == 0
    run(sink, [crossed(5), crossed(61)], 100)
    assert parquet.read_table(path).num_rows == 2
    sink.close()
    rows = parquet.read_table(path).to_pylist()
    assert [row["count"] for row in rows] == [1, 0, 1, 0]
    assert rows[0]["start"] == datetime(2026, 11, 23, 8).astimezone()
    assert rows[0]["mean_dwell"] is None
    assert sink.outputs == [str(path)]
    assert [p.name for p in path.parent.iterdir()] == ["counts.parquet"]


def test_a_long_run_has_several_parquet_files(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tables, "MAX_ROWS", 10)
    other, stale = tmp_path / "counts.2026.parquet", tmp_path / "counts.part9.parquet"
    other.touch()
    stale.touch()
    sink = run(Counts(str(tmp_path / "counts.parquet"), "1min"), [crossed(5)], 60 * 12)
    sink.close()
    assert not stale.exists()
    assert other.exists()
    sizes = [parquet.read_table(path).num_rows for path in sink.outputs]
    assert sizes == [10, 10, 4]
    assert sink.outputs[1].endswith("counts.part2.parquet")


def test_without_pyarrow_the_error_tells_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PluginError, match=r"path=.*not installed: pip install 'vidan\[parquet\]'"):
        Counts(str(tmp_path / "c.parquet"))


def test_old_files_are_deleted_and_each_has_the_names_of_the_columns(tmp_path, monkeypatch):
    now = [datetime(2026, 3, 5, 12).timestamp()]
    monkeypatch.setattr("time.time", lambda: now[0])
    sink = Counts(str(tmp_path / "c.csv"), "1min", max_delay=0.0, keep="2h")
    for hour in range(5):
        run(sink, [crossed(3600 * hour + 5)], 3600 * hour + 61, start=3600 * hour)
        os.utime(sink.outputs[-1], (now[0], now[0]))
        now[0] += 3600
    sink.close()
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == [
        f"c-2026-03-05_{hour}-00-00.csv" for hour in (15, 16, 17)
    ]
    for path in found[:-1]:
        assert [row["count"] for row in read(path)].count("1") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "c.parquet", "keep": "30d"}, r"keep='30d': set a path with \.csv, or use sink=p"),
        ({"keep": "much"}, "sink.counts.keep='much'"),
        ({"path": "c.txt"}, r"sink.counts.path='c.txt': expected \.csv or \.parquet"),
        ({"interval": "7min"}, "sink.counts.interval='7min': expected a length that divides a day"),
        ({"interval": 0.5}, "sink.counts.interval=0.5: expected a length that divides a day"),
        ({"interval": ["1min", "1 hour"]}, "sink.counts.interval='1 hour'"),
        ({"interval": []}, r"sink.counts.interval=\[\]: expected at least one"),
        ({"recorded": "monday"}, "sink.counts.recorded='monday': expected a date and time"),
        ({"max_delay": -1}, "sink.counts.max_delay: expected `float` >= 0.0"),
    ],
)
def test_invalid_options_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        build("sink", {"name": "counts", "path": "c.csv", **options}, "sink.counts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_unwritable_path_is_an_error(tmp_path, suffix):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        Counts(str(tmp_path / f"file/c.{suffix}"))
