"""What is recorded, and what the page is told about it."""

import csv
import io
import json
import os
import sqlite3
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.plugins.browser import assert_accessible, until_true
from tests.plugins.sinks.web.results import Still, result
from vidan.config.build import RunContext
from vidan.errors import ConfigError, SinkError
from vidan.events import Event, Measure
from vidan_plugins.sinks.web.history import questions
from vidan_plugins.sinks.web.history.recorder import HistoryRecorder
from vidan_plugins.sinks.web.history.span import Span
from vidan_plugins.sinks.web.history.store import HistoryStore, reading

DAY = 86400.0


def crossing(number, when, direction="in", *, rule="door", label="person", stream="door"):
    return Event(
        f"{stream}/lines/{rule}/{number}", "line.crossed", "point", stream, rule, when, 0,
        track=number, label=label, box=(8.0, 8.0, 24.0, 24.0), data={"direction": direction},
    )  # fmt: skip


def visit(number, when, dwell, rule="till"):
    return Event(
        f"door/zones/{rule}/{number}", "zone.left", "end", "door", rule, when, 0,
        track=number, label="person", data={"dwell": dwell},
    )  # fmt: skip


def flow(number, when):
    return Event(
        f"door/flows/{number}", "flow.completed", "point", "door", "flows", when, 0,
        track=number, label="person", data={"origin": "door", "destination": "till"},
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "history.sqlite"


def summary(path, begin, end, bins, **chosen):
    with reading(path) as database:
        span = Span(begin, (end - begin) / bins, bins, **chosen)
        return questions.summary(database, span)


def test_counts_by_interval_line_direction_and_label(path):
    store = HistoryStore(path, "run", DAY)
    for number, (when, direction, label) in enumerate(
        [(5, "in", "person"), (15, "in", "car"), (16, "out", "person"), (25, "in", "person")], 1
    ):
        store.add(crossing(number, when, direction, label=label), float(when), None)
    store.add(crossing(9, 7.0, rule="gate"), 7.0, None)
    store.close()
    lines = summary(path, 0, 30, 3)["lines"]
    assert [(one["rule"], one["direction"], one["counts"], one["labels"]) for one in lines] == [
        ("door", "in", [1, 1, 1], {"person": 2, "car": 1}),
        ("door", "out", [0, 1, 0], {"person": 1}),
        ("gate", "in", [1, 0, 0], {"person": 1}),
    ]
    (only,) = summary(path, 0, 30, 3, rule="door", label="car")["lines"]
    assert (only["counts"], only["total"]) == ([0, 1, 0], 1)
    found = summary(path, 10, 20, 1)
    assert [(one["direction"], one["total"]) for one in found["lines"]] == [("in", 1), ("out", 1)]
    assert (found["rules"], found["labels"]) == (["door"], ["car", "person"])


def test_visits_dwell_and_flows(path):
    store = HistoryStore(path, "run", DAY)
    for number, dwell in enumerate([1.0, 9.0, 5.0], 1):
        store.add(visit(number, 10.0 * number, dwell), 10.0 * number, None)
    store.add(flow(1, 20.0), 20.0, None)
    store.close()
    found = summary(path, 0, 40, 4)
    (zone,) = found["zones"]
    assert (zone["rule"], zone["total"], zone["counts"], zone["dwell"]) == (
        "till",
        3,
        [0, 1, 1, 1],
        5.0,
    )
    assert found["flows"] == [
        {"origin": "door", "destination": "till", "label": "person", "count": 1}
    ]


def test_objects_over_time(path):
    store = HistoryStore(path, "run", DAY)
    for minute, ids in ((0, [1, 2]), (0, [1]), (1, []), (3, [1, 2, 3])):
        store.see(result(0, ids), 60.0 * minute)
    store.close()
    (people,) = summary(path, 0, 240, 4)["objects"]
    assert people == {"label": "person", "mean": [1.5, 0, None, 3.0], "peak": [2, 0, None, 3]}
    (people,) = summary(path, 0, 240, 2)["objects"]
    assert people["mean"] == [0.75, 3.0]


def in_zones(**counts):
    """A result with numbers of objects by `<zone>_<label>`."""
    pairs = ((name.split("_"), value) for name, value in counts.items())
    return replace(
        result(0),
        measures={
            Measure("zone_objects", (("zone", zone), ("label", label))): float(value)
            for (zone, label), value in pairs
        },
    )


def filled_zones(path):
    """Minutes 0 and 1 with objects in zones, 2 without frames, 3 without objects."""
    store = HistoryStore(path, "run", DAY)
    store.see(in_zones(till_person=2, till_car=1, door_person=1), 0.0)
    store.see(in_zones(till_person=1, till_car=0, door_person=0), 30.0)
    store.see(in_zones(till_person=3), 70.0)
    store.see(in_zones(till_person=0), 190.0)
    store.close()


def test_objects_in_zones_over_time(path):
    filled_zones(path)
    door, till = summary(path, 0, 240, 4)["occupancy"]
    assert door == {"rule": "door", "mean": [0.5, 0, None, 0], "peak": [1, 0, None, 0]}
    assert till == {"rule": "till", "mean": [2.0, 3.0, None, 0], "peak": [3, 3, None, 0]}
    (till,) = summary(path, 0, 240, 2, rule="till", label="person")["occupancy"]
    assert (till["mean"], till["peak"]) == ([2.25, 0], [3, 0])
    (cars,) = summary(path, 0, 60, 1, label="car")["occupancy"]
    assert (cars["rule"], cars["mean"]) == ("till", [0.5])
    assert summary(path, 180, 240, 1)["occupancy"] == []


def test_intervals_shorter_than_a_minute_have_the_values_of_their_minute(path):
    filled_zones(path)
    (till,) = summary(path, 20, 140, 6, rule="till")["occupancy"]
    assert till["mean"] == [2.0, 2.0, 3.0, 3.0, 3.0, None]


def test_a_file_from_before_zones_were_stored(path):
    filled_zones(path)
    database = sqlite3.connect(path)
    database.execute("DROP TABLE zones")
    database.close()
    assert summary(path, 0, 240, 4)["occupancy"] == []


def test_each_event_is_there_once_also_if_the_run_is_repeated(path):
    for _ in range(2):
        store = HistoryStore(path, "run", DAY)
        for number in range(5):
            store.add(crossing(number, number), float(number), None)
        store.close()
    store = HistoryStore(path, "another run", DAY)
    store.add(crossing(0, 0), 100.0, None)
    store.close()
    with reading(path) as database:
        assert database.execute("SELECT count(*) FROM events").fetchone()[0] == 6


def test_old_rows_and_images_are_deleted(path, monkeypatch):
    from vidan_plugins.sinks.web.history import store as module

    monkeypatch.setattr(module, "CLEAN_EVERY_S", 0.0)
    monkeypatch.setattr(module, "COMMIT_EVERY_S", 0.0)
    monkeypatch.setattr(module, "MAX_IMAGES", 2)
    store = HistoryStore(path, "run", 100.0)
    for number in range(10):
        store.add(crossing(number, 0.0), 50.0 * number, b"jpeg")
        store.see(in_zones(till_person=1), 50.0 * number)
    store.close()
    with reading(path) as database:
        times = [row[0] for row in database.execute("SELECT time FROM events ORDER BY time")]
        images = database.execute("SELECT count(*) FROM events WHERE image IS NOT NULL").fetchone()
        zones = database.execute("SELECT DISTINCT time FROM zones ORDER BY time").fetchall()
    assert times == [350.0, 400.0, 450.0]
    assert [row[0] for row in zones] == [360, 420]
    assert images[0] == 2


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\x1b[2J", "'; DROP TABLE events; --"])
def test_any_text_is_kept_readable(path, text):
    store = HistoryStore(path, "run", DAY)
    store.add(crossing(1, 1.0, rule=text, label=text, direction=text), 1.0, None)
    store.close()
    (line,) = summary(path, 0, 2, 1)["lines"]
    json.dumps(line, allow_nan=False).encode()
    assert line["total"] == 1


def test_a_file_that_is_no_history(path):
    path.parent.mkdir()
    path.write_text("something else, longer than the header of a database" * 10)
    with pytest.raises(SinkError, match="cannot write the history"):
        HistoryStore(path, "run", DAY)


def test_a_file_of_a_newer_version(path):
    HistoryStore(path, "run", DAY).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(SinkError, match="newer version"):
        HistoryStore(path, "run", DAY)


def test_the_date_of_a_camera_and_the_image_of_an_event(path):
    recorder = HistoryRecorder(path, "run", DAY, live=True)
    shown = result(3, [7], kind=Still)
    recorder.emit([crossing(7, shown.frame.time)])
    recorder.write(shown)
    recorder.close()
    with reading(path) as database:
        (event,) = questions.events(
            database, before=None, limit=5, rule=None, label=None, kind=None
        )
        image = questions.image(database, event["number"])
    assert abs(event["time"] - time.time()) < 5
    assert event["stream_time"] == shown.frame.time
    assert event["image"]
    assert image[:2] == b"\xff\xd8"


# Through the server


def context(tmp_path, *, live=True, name="door", run="run"):
    return RunContext(run, 0.0, live, name, tmp_path / "out")


@pytest.fixture
def filled(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = serve(run=context(tmp_path))
    shown = replace(result(3, [1, 2]), measures=in_zones(till_person=2).measures)
    sink.emit([crossing(1, 0.1), crossing(2, 0.2, "out"), visit(3, 0.3, 2.0), flow(4, 0.3)])
    sink.write(shown)
    time.sleep(1.1)
    sink.write(replace(shown, frame=result(4).frame))  # commits
    return sink


def get(ask, sink, path):
    answer = ask(sink, path)
    return answer.status, answer.read()


def test_history_over_http(filled, ask):
    status, body = get(ask, filled, "/history.json")
    found = json.loads(body)
    assert status == 200
    assert found["dated"]
    assert [(one["rule"], one["direction"], one["total"]) for one in found["lines"]] == [
        ("door", "in", 1),
        ("door", "out", 1),
    ]
    status, body = get(ask, filled, "/events.json?limit=2&rule=door")
    events = json.loads(body)["events"]
    assert [event["direction"] for event in events] == ["out", "in"]
    before = events[0]["number"]
    (older,) = json.loads(get(ask, filled, f"/events.json?before={before}&rule=door")[1])["events"]
    assert older["direction"] == "in"
    assert older["image"]
    assert get(ask, filled, f"/events/{older['number']}.jpg")[1][:2] == b"\xff\xd8"
    status, body = get(ask, filled, "/history.csv?bins=1")
    table = list(csv.DictReader(io.StringIO(body.decode())))
    assert [(row["rule"], row["kind"], row["direction"], row["count"]) for row in table] == [
        ("door", "line.crossed", "in", "1"),
        ("door", "line.crossed", "out", "1"),
        ("till", "zone.left", "", "1"),
    ]
    text = get(ask, filled, "/occupancy.csv?bins=1")[1].decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["rule"], row["mean"], row["peak"]) == ("till", "2.0", "2")
    newest = json.loads(get(ask, filled, "/results.json")[1])
    assert len(newest["tracks"]) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/history.json?begin=x",
        "/history.json?begin=nan",
        "/history.json?begin=1e300",
        "/history.json?begin=5&end=5",
        "/history.json?bins=0",
        "/history.json?bins=401",
        "/history.json?bins=-1",
        "/history.csv?bins=1e9",
        "/events.json?before=;",
        "/events.json?limit=inf",
    ],
)
def test_bad_requests(filled, ask, path):
    assert get(ask, filled, path)[0] == 400


@pytest.mark.parametrize("number", ["0", "99", "-1", "x", "9" * 30, "1;DROP", "%2e%2e%2fx"])
def test_images_that_do_not_exist(filled, ask, number):
    assert get(ask, filled, f"/events/{number}.jpg")[0] == 404


def test_the_next_run_of_a_camera_continues_its_history(filled, serve, ask, tmp_path):
    filled.close()
    again = serve(run=context(tmp_path, run="next"))
    assert json.loads(get(ask, again, "/history.json")[1])["lines"][0]["total"] == 1
    assert again.outputs == ["runs/history/door.sqlite"]


def test_the_history_of_a_file_is_in_the_directory_of_the_run(serve, ask, tmp_path):
    sink = serve(run=context(tmp_path, live=False))
    sink.write(result(0))
    assert not json.loads(get(ask, sink, "/history.json")[1])["dated"]
    assert (tmp_path / "out/history.sqlite").exists()


def test_without_a_history(serve, ask, tmp_path):
    sink = serve(run=context(tmp_path), history=False)
    for path in ("/history", "/history.json", "/events.json"):
        assert get(ask, sink, path)[0] == 404
    with pytest.raises(ConfigError, match="history_keep"):
        serve(run=context(tmp_path), history_keep="soon")


def test_text_for_spreadsheets_is_no_formula(serve, ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sink = serve(run=context(tmp_path))
    sink.emit([crossing(1, 0.1, rule="=HYPERLINK(1)")])
    sink.write(result(3))
    time.sleep(1.1)
    sink.write(result(4))
    assert ",'=HYPERLINK(1)," in get(ask, sink, "/history.csv")[1].decode().replace('"', "")


def test_a_month_is_answered_from_the_file(path):
    """10,000 events and 30 days of minutes; the memory that is used does not depend on them."""
    store = HistoryStore(path, "run", 60 * DAY)
    rng = np.random.default_rng(0)
    tracemalloc.start()
    for number, when in enumerate(np.sort(rng.uniform(0, 30 * DAY, 10_000)).tolist()):
        kind = number % 3
        event = visit(number, when, 5.0) if kind else crossing(number, when)
        store.add(event, when, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    store._database.executemany(
        "INSERT INTO objects VALUES (?, ?, ?, ?)",
        ((60 * n, label, 2.0, 5) for n in range(30 * 1440) for label in ("person", "car")),
    )
    store.close()
    assert peak < 5e6
    found = summary(path, 0, 30 * DAY, 60)
    assert sum(one["total"] for one in (*found["lines"], *found["zones"])) == 10_000


class TestBrowser:
    @pytest.fixture
    def page(self, filled, visit_):
        return lambda **options: visit_(f"{filled.address}history", **options)

    @pytest.fixture
    def visit_(self, visit):
        return visit

    def test_charts_filters_and_events(self, filled, page):
        from playwright.sync_api import expect

        shown = page(viewport={"width": 1280, "height": 900})
        expect(shown.locator("#line-table tbody tr")).to_have_count(2)
        expect(shown.locator("#zone-table")).to_contain_text("2.0 s")
        expect(shown.locator("#flow-table")).to_contain_text("till")
        expect(shown.locator("#occupancy-table")).to_contain_text("2.0")
        expect(shown.locator("#occupancy .peak")).not_to_have_count(0)
        expect(shown.locator("#list li")).to_have_count(4)
        until_true(shown, "document.querySelector('#list img').naturalWidth > 0")
        assert_accessible(shown)
        screenshot(shown, "history")
        shown.get_by_label("Line or zone").select_option("door")
        expect(shown.locator("#list li")).to_have_count(2)
        with shown.expect_download() as download:
            shown.get_by_role("link", name="Download CSV").first.click()
        assert "line.crossed" in Path(download.value.path()).read_text()
        shown.get_by_label("Line or zone").select_option("")
        filled.emit([crossing(77, 0.4, rule="<b>gate")])
        filled.write(result(5))
        time.sleep(1.1)
        filled.write(result(6))
        expect(shown.locator("#list li").first).to_contain_text("<b>gate", timeout=15_000)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_on_a_phone(self, page, scheme):
        from playwright.sync_api import expect

        from tests.plugins.sinks.web.test_browser import PHONE

        shown = page(color_scheme=scheme, **PHONE)
        expect(shown.locator("#list li")).to_have_count(4)
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(shown)
        screenshot(shown, f"history_{scheme}")


def screenshot(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
