import contextlib
import csv
import json
import math
import sqlite3
from dataclasses import replace

import pytest

from tests.plugins.sinks.store.rows import RUN
from tests.postgres import FOLDERS, PASSWORD, Postgres
from vidan import ConfigError, SourceError
from vidan.cli import main as cli
from vidan.events import APPEARED, CROSSED, ENTERED, EXITED, FLOW, Event
from vidan.testing import blank, result
from vidan_plugins.sinks.events.file import EventLines
from vidan_plugins.sinks.web.history.store import HistoryStore
from vidan_plugins.tools.report.places import find_places
from vidan_plugins.tools.report.report import run

pytest.importorskip("duckdb")

BEGIN = "2026-10-25T01:00:00+02:00"  # two hours before clocks in Berlin are set back


class Killed(BaseException):
    """The process ends here."""


def killed(*_):
    raise Killed


def event(kind, rule, at, number, label="person", **data):
    return Event(f"e{number}", kind, "point", "cam", rule, at, number, number, label, data=data)


def events():
    """An event every 10 min for 5 h, but none in the third hour."""
    for number in range(30):
        if number // 6 != 2:
            way = "in" if number % 3 else "out"
            yield event(CROSSED, "door", number * 600.0, number, direction=way)
    for number in range(10):
        at = 7200.0 * 2 + number
        yield event(ENTERED, "till", at, 100 + number)
        yield event(EXITED, "till", at + number, 200 + number, "bag", dwell=float(number))
    data = {"origin": "door", "destination": "till", "seconds": 3.0}
    yield event(FLOW, "flows", 9.0, 300, **data)
    yield event(APPEARED, "presence", 9.0, 301)


def write(sink, stream="cam"):
    for each in sorted(events(), key=lambda e: e.time):
        sink.emit([replace(each, stream=stream)])
        if hasattr(sink, "write"):
            frame = blank(round(each.time * 10), time=each.time, stream=stream)
            sink.write(replace(result(), frame=frame))
    sink.close()


def make(kind, folder, **given):
    """Store the events; where they are then."""
    if kind == "lines":
        write(EventLines(str(folder / "events.jsonl")))
        return folder
    if kind == "parquet":
        from vidan_plugins.sinks.store.parquet import Parquet

        write(Parquet(str(folder / "dataset"), recorded=BEGIN, **given))
        return folder / "dataset"
    from vidan_plugins.sinks.store.sql.sink import Sql

    write(Sql(str(folder / "v.sqlite"), recorded=BEGIN, **given))
    return folder / "v.sqlite"


def report(place, folder, *arguments):
    """The rows of each answer, from its CSV file."""
    assert run([str(place), f"csv={folder / 'csv'}", *arguments]) == 0
    found = {}
    for path in (folder / "csv").iterdir():
        with path.open(newline="", encoding="utf-8") as file:
            found[path.stem] = list(csv.DictReader(file))
        path.unlink()
    return found


@pytest.fixture(scope="module")
def database():
    if not FOLDERS:
        pytest.skip("PostgreSQL is not installed")
    server = Postgres()
    yield server
    server.close()


@pytest.mark.parametrize("kind", ["lines", "parquet", "sqlite"])
def test_files_of_every_kind_give_the_same_answers(tmp_path, kind):
    check(report(make(kind, tmp_path), tmp_path, "timezone=UTC"))


def test_a_server_gives_the_same_answers(tmp_path, database, capsys, monkeypatch):
    make("sqlite", tmp_path, url=database.url(), spool=str(tmp_path / "spool"))
    check(report(database.url(), tmp_path, "timezone=UTC"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    without = database.url().replace(f":{PASSWORD}", "")
    check(report(without, tmp_path, "timezone=UTC"))
    with pytest.raises(SourceError, match="password authentication failed") as raised:
        run([database.url(password="wrong-Pass1")])
    shown = capsys.readouterr()
    for secret in (PASSWORD, "wrong-Pass1"):
        assert secret not in f"{shown.out}{shown.err}{raised.value}"


def check(found):
    (line,) = found["lines"]
    assert line == {"stream": "cam", "line": "door", "label": "person", "in": "16", "out": "8"}
    entered, left = sorted(found["zones"], key=lambda row: -int(row["entered"]))
    assert (entered["entered"], entered["visits"], entered["median, s"]) == ("10", "0", "")
    assert (left["visits"], left["median, s"], left["p90, s"]) == ("10", "4.5", "8.1")
    (flow,) = found["flows"]
    assert (flow["from"], flow["to"], flow["count"], flow["median, s"]) == (
        *("door", "till", "1", "3.0"),
    )
    hours = [(int(row["in"]) + int(row["out"]), int(row["entered"])) for row in found["hours"]]
    assert hours == [(6, 0), (6, 0), (0, 0), (6, 0), (6, 10)]
    door, till = found["busiest"]
    assert (door["line or zone"], door["count"]) == ("door", "2")
    assert (till["line or zone"], till["count"]) == ("till", "10")


def test_the_hour_that_is_repeated_is_two_intervals(tmp_path):
    place = make("parquet", tmp_path)
    found = report(place, tmp_path, "timezone=Europe/Berlin")
    assert [row["start"] for row in found["hours"]] == [
        "2026-10-25 01:00+02:00",
        "2026-10-25 02:00+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 03:00+01:00",
        "2026-10-25 04:00+01:00",
    ]
    days = report(place, tmp_path, "timezone=Europe/Berlin", "every=1d")["hours"]
    assert [(row["start"], row["in"]) for row in days] == [("2026-10-25 00:00+02:00", "16")]


def test_since_and_until_limit_the_events_and_tell_which_intervals_there_are(tmp_path):
    limits = ("since=2026-10-25T00:00", "until=2026-10-25T02:00+00:00", "timezone=Europe/Berlin")
    hours = report(make("parquet", tmp_path), tmp_path, *limits)["hours"]
    assert [(row["start"][-11:], int(row["in"]) + int(row["out"])) for row in hours] == [
        ("00:00+02:00", 0),
        ("01:00+02:00", 6),
        ("02:00+02:00", 6),
        ("02:00+01:00", 0),
    ]
    other = tmp_path / "other"
    other.mkdir()
    hours = report(make("lines", other), tmp_path, "since=1h", "until=7200")["hours"]
    assert [(row["start"], row["in"]) for row in hours] == [("3600.0", "4")]


def test_rules_labels_and_streams_can_be_chosen(tmp_path):
    make("parquet", tmp_path)
    found = report(tmp_path, tmp_path, "rule=till", "label=[bag,person]", "stream=cam")
    assert found["lines"] == []
    assert len(found["zones"]) == 2
    assert len(found["flows"]) == 1
    assert report(tmp_path, tmp_path, "label=bag", "questions=zones").keys() == {"zones"}


def test_what_waits_for_a_file_of_the_dataset_counts_once(tmp_path, monkeypatch):
    from vidan_plugins.sinks.store.parquet import Parquet

    sink = Parquet(str(tmp_path), run=RUN)
    monkeypatch.setattr(sink, "_write_waiting", lambda: None)
    write(sink)  # killed at the end
    assert not list(tmp_path.rglob("part-*"))
    check(report(tmp_path, tmp_path / "out"))
    following = Parquet(str(tmp_path), run=replace(RUN, id="run2"))
    monkeypatch.setattr(following._spool, "remove", killed)
    with pytest.raises(Killed):
        following._put([])
    following._spool.close()
    assert list(tmp_path.rglob("part-*"))
    check(report(tmp_path, tmp_path / "out"))


def test_of_several_outputs_of_one_run_only_one_counts(tmp_path):
    every = ("lines", "sqlite", "parquet")
    for number, kinds in enumerate([every, every[:2], every[:1]]):
        folder = tmp_path / f"run{number}"
        folder.mkdir()
        for kind in kinds:
            make(kind, folder)
    assert [place.kind for place in find_places(str(tmp_path))] == ["dataset", "database", "lines"]
    (line,) = report(tmp_path, tmp_path, "questions=lines")["lines"]
    assert line["in"] == "48"


def test_the_manifest_of_a_batch_job_has_no_events(tmp_path):
    with sqlite3.connect(tmp_path / "manifest.sqlite") as database:
        database.execute("CREATE TABLE files (name)")
    with pytest.raises(SourceError, match="there are no events in it"):
        find_places(str(tmp_path))
    make("lines", tmp_path)
    assert [place.kind for place in find_places(str(tmp_path))] == ["lines"]


def test_other_databases_in_the_folder_of_a_run_are_left_out(tmp_path):
    HistoryStore(tmp_path / "history.sqlite", "run", math.inf).close()
    make("sqlite", tmp_path)
    (place,) = find_places(str(tmp_path))
    assert place == ("database", str(tmp_path / "v.sqlite"))
    (tmp_path / "v.sqlite").unlink()
    make("lines", tmp_path)
    assert [place.kind for place in find_places(str(tmp_path))] == ["lines"]


def test_tables_have_80_columns_and_empty_ones_are_left_out(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("vidan.cli.terminal.NO_TERMINAL_COLUMNS", 80)
    write(EventLines(str(tmp_path / "events.jsonl")), stream="rtsp://camera.example/" + "x" * 90)
    assert run([str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "1 run, 1 stream, 0:00:00 to 4:50:00, stream time"
    assert max(map(len, shown)) <= 80
    assert any(line.split()[-2:] == ["16", "8"] for line in shown)
    lone = tmp_path / "lone/events.jsonl"
    lone.parent.mkdir()
    lone.write_text(json.dumps(event(APPEARED, "presence", 1.0, 1).record()) + "\n")
    assert run([str(lone), "questions=[lines]"]) == 0
    assert "no crossings, visits or flows" in capsys.readouterr().out


def test_a_plot_is_an_image(tmp_path):
    pytest.importorskip("matplotlib")
    assert run([str(make("parquet", tmp_path)), f"plot={tmp_path / 'deep/report.png'}"]) == 0
    assert (tmp_path / "deep/report.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["nowhere"], SourceError, "'nowhere': there is no such file or folder"),
        (["~nowhere"], SourceError, "'~nowhere': there is no such file or folder"),
        (["empty"], SourceError, "there are no events in it: expected the output of sink=events"),
        (["notes.jsonl"], SourceError, r"cannot read the events of 'notes\.jsonl': "),
        (["x.parquet"], SourceError, r"cannot read the events of 'x\.parquet': "),
        (["other.sqlite"], SourceError, "has no events of vidan"),
        (["mysql://me:secret@h/db"], ConfigError, r"expected postgresql://.*me:\*\*\*@h/db"),
        ([], ConfigError, "expected one run, folder, file or database"),
        ([".", "every=7min"], ConfigError, "every='7min': expected a length that divides a day"),
        ([".", "every=1", "since=0", "until=90d"], ConfigError, "every=1 s: too many intervals"),
        ([".", "questions=[line]"], ConfigError, "questions='line': did you mean 'lines'"),
        ([".", "stream=can"], ConfigError, "stream='can': did you mean 'cam'"),
        ([".", "rule=dor"], ConfigError, "rule='dor': did you mean 'door'"),
        ([".", "label=persons"], ConfigError, "label='persons': did you mean 'person'"),
        ([".", "timezone=Europe/Berlim"], ConfigError, "did you mean 'Europe/Berlin'"),
        ([".", "since=monday"], ConfigError, "since='monday': expected a stream time"),
        ([".", "evry=1h"], ConfigError, "evry"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.jsonl").write_text("no events\n")
    (tmp_path / "x.parquet").write_text("no parquet")
    if "other.sqlite" in arguments:
        with contextlib.closing(sqlite3.connect(tmp_path / "other.sqlite")) as database:
            database.execute("CREATE TABLE mine (x)")
    write(EventLines(str(tmp_path / "events.jsonl")))
    with pytest.raises(error, match=message) as raised:
        run(arguments)
    assert "\n" not in str(raised.value)
    assert "secret" not in str(raised.value)


def test_the_command_has_help(capsys):
    assert cli.main(["report", "--help"]) == 0
    assert "every: 1h" in capsys.readouterr().out
