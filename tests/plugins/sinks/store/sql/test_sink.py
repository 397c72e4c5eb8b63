import contextlib
import logging
import sqlite3
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateTable

from tests.plugins.sinks.store.rows import RUN, crossing, feed
from tests.postgres import PASSWORD, Postgres
from vidan import ConfigError, SinkError
from vidan.cli import main as cli
from vidan.config.build import build
from vidan.testing import SinkSuite
from vidan_plugins.sinks.events import delivery
from vidan_plugins.sinks.store.sql import schema
from vidan_plugins.sinks.store.sql.address import database_url
from vidan_plugins.sinks.store.sql.sink import Sql
from vidan_plugins.sinks.store.tables import TABLES


class TestSql(SinkSuite):
    def make(self, tmp_path):
        return Sql(str(tmp_path / "deep/vidan.sqlite"))

    def check(self, tmp_path, results):
        path = tmp_path / "deep/vidan.sqlite"
        assert rows(path, "SELECT frames, ended NOTNULL FROM runs") == [(4, 1)]
        assert rows(path, "SELECT id, number, x1 FROM events") == [("test/1", 1, None)]


def rows(path, query):
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def feed_slowly(sink):
    """Until the delivery thread has found out that something is wrong."""
    for number in range(100):
        feed(sink, [number])
        time.sleep(0.05)


@pytest.fixture
def to_server(server, tmp_path):
    """Makes sinks that write into a new database of a server."""
    name, made = server.new_database(), []

    def make(**given):
        given = {"url": server.url(database=name), "spool": str(tmp_path / "spool")} | given
        made.append(Sql("unused", run=RUN, **given))
        return made[-1]

    make.database = name
    yield make
    for sink in made:
        with contextlib.suppress(SinkError):
            sink.close()


def test_rows_that_are_too_old_are_deleted(tmp_path):
    path = tmp_path / "vidan.sqlite"
    began = datetime.now() - timedelta(days=9)
    old = replace(RUN, id="old", directory=tmp_path / "old")
    for run, recorded, keep in (
        (old, began, None),
        (replace(RUN, directory=tmp_path / "new"), datetime.now(), "7d"),
    ):
        sink = Sql(str(path), run=run, recorded=f"{recorded:%Y-%m-%dT%H:%M:%S}", keep=keep)
        feed(sink, range(5))
        sink.close()
    for table in ("events", "tracks"):
        assert rows(path, f"SELECT DISTINCT run FROM {table}") == [(RUN.id,)]
    assert len(rows(path, "SELECT run FROM runs")) == 2


def test_an_age_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="keep='20GB'"):
        Sql(str(tmp_path / "a.sqlite"), keep="20GB")


def test_a_run_that_is_repeated_changes_nothing(tmp_path):
    path = tmp_path / "vidan.sqlite"
    for _ in range(2):
        sink = Sql(str(path), run=RUN)
        feed(sink, range(20))
        sink.close()
    assert rows(path, "SELECT count(*), min(number), max(number) FROM events") == [(20, 1, 20)]
    found = rows(path, "SELECT track, frames, first_frame, last_frame FROM tracks")
    assert found == [(1, 20, 0, 19)]
    assert rows(path, "SELECT direction, count FROM counts") == [("in", 20), ("out", 0)]


def test_events_have_columns_for_what_is_asked_most(tmp_path):
    path = tmp_path / "vidan.sqlite"
    sink = Sql(str(path), recorded="2026-11-25T08:00:00+00:00", run=RUN)
    sink.emit([crossing(3, stream="café\udcff", delay=float("inf"), joined="unknown", more="a\0b")])
    feed(sink, [4])
    sink.close()
    query = "SELECT id, timestamp, y2, direction, joined, delay, data->>'more' FROM events"
    assert rows(path, query)[0] == (
        *("café\\udcff/lines/door/3", "2026-11-25 08:00:00.300000", 4.0),
        *("in", None, None, "a\ufffdb"),
    )


def test_events_are_in_the_file_before_the_run_ends(tmp_path):
    sink = Sql(str(tmp_path / "vidan.sqlite"), run=RUN)
    feed(sink, range(5))
    assert rows(tmp_path / "vidan.sqlite", "SELECT count(*) FROM events") == [(5,)]
    assert rows(tmp_path / "vidan.sqlite", "SELECT ended FROM runs") == [(None,)]
    sink.close()


def test_a_new_run_in_the_same_folder_replaces_the_rows_of_the_earlier_one(tmp_path):
    path = tmp_path / "vidan.sqlite"
    for run in ("run1", "run2"):
        sink = Sql(str(path), run=replace(RUN, id=run, directory=tmp_path))
        feed(sink, range(3))
        sink.close()
    assert rows(path, "SELECT run, count(*) FROM events GROUP BY 1") == [("run2", 3)]
    assert [p.name for p in tmp_path.iterdir()] == ["vidan.sqlite"]


def test_two_runs_may_write_into_one_file(tmp_path):
    path = tmp_path / "vidan.sqlite"
    sinks = [Sql(str(path), run=RUN), Sql(str(path))]
    for sink in sinks:
        feed(sink, range(5))
    for sink in sinks:
        sink.close()
    assert rows(path, "SELECT count(*), count(DISTINCT run) FROM events") == [(10, 2)]


def test_a_server_gets_the_same_rows_as_a_file(server, to_server, tmp_path):
    file = Sql(str(tmp_path / "vidan.sqlite"), recorded="2026-11-25T08:00:00", run=RUN)
    remote = to_server(recorded="2026-11-25T08:00:00")
    for sink in (file, remote):
        feed(sink, range(30))
        sink.close()
    assert file.outputs == [str(tmp_path / "vidan.sqlite")]
    assert remote.outputs == []
    for table in set(TABLES) - {"runs"}:
        names = [c.name for c in TABLES[table].columns if c.type in (str, int, float)]
        query = f"SELECT {', '.join(names)} FROM {table} ORDER BY 3"
        found = server.run(query, database=to_server.database)
        assert found == rows(tmp_path / "vidan.sqlite", query)
        assert found
    query = "SELECT timestamp, data->'delay' FROM events WHERE number = 1"
    (found,) = server.run(query, database=to_server.database)
    assert (found[0].timestamp(), found[1]) == (file._recorder._clock.offset, 0.25)


def test_rows_wait_while_the_server_is_down_and_are_there_once_afterward(tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_S", 0.1)
    server = Postgres()
    try:
        sink = Sql("unused", server.url(), spool=str(tmp_path / "spool"), drain=20.0, run=RUN)
        for outage in range(3):
            feed(sink, range(outage * 50, outage * 50 + 25))
            server.kill()
            feed(sink, range(outage * 50 + 25, outage * 50 + 50))
            server.start()
        sink.close()
        found = server.run("SELECT number, frame FROM events ORDER BY number")
        assert found == [(n + 1, n) for n in range(150)]
        server.kill()
        sink = Sql("unused", server.url(), spool=str(tmp_path / "spool"), drain=0.0)
        feed(sink, [7])  # a server that is down when the run starts and when it ends
        sink.close()
        server.start()
        Sql("unused", server.url(), spool=str(tmp_path / "spool"), drain=20.0).close()
        assert server.run("SELECT count(*), count(DISTINCT run) FROM events") == [(151, 2)]
    finally:
        server.close()


REFUSED = [
    ({"password": "wrong-Pass1"}, "password authentication failed .*; check user and password"),
    ({"user": "stranger"}, "password authentication failed"),
    ({"database": "nowhere"}, 'database "nowhere" does not exist; create it'),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_a_server_that_refuses_is_one_line_before_the_run(server, tmp_path, given, message):
    with pytest.raises(SinkError, match=message) as raised:
        Sql("unused", server.url(**given), spool=str(tmp_path / "spool"))
    shown = str(raised.value)
    assert "\n" not in shown
    assert PASSWORD not in shown
    assert "wrong-Pass1" not in shown
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_host_is_one_line(tmp_path):
    url = f"postgresql://me:{PASSWORD}@no-such-host.invalid/db"
    with pytest.raises(SinkError, match=r"no-such-host\.invalid: .*; check the host") as raised:
        Sql("unused", url, spool=str(tmp_path / "spool"))
    assert PASSWORD not in str(raised.value)


def test_a_role_without_rights_is_told_which(server, to_server):
    name = to_server.database
    with contextlib.suppress(Exception):
        server.run("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    url = server.url("reader", "reader", name)
    with pytest.raises(SinkError, match="permission denied for schema public: GRANT the right"):
        to_server(url=url)
    to_server().close()
    server.run(f"GRANT SELECT ON {', '.join(TABLES)}, vidan_schema TO reader", database=name)
    with pytest.raises(SinkError, match="'reader' has no right to INSERT in the table 'runs': GRA"):
        to_server(url=url)
    server.run(f"GRANT INSERT, UPDATE ON {', '.join(TABLES)} TO reader", database=name)
    sink = to_server(url=url)
    feed(sink, range(3))
    sink.close()
    assert server.run("SELECT count(*) FROM events", database=name) == [(3,)]


def test_a_right_that_is_taken_away_ends_the_sink_and_loses_nothing(server, to_server):
    name = to_server.database
    sink = to_server()
    server.run("DROP TABLE events", database=name)
    with pytest.raises(SinkError, match='relation "events" does not exist'):
        feed_slowly(sink)
    sink.close()
    server.run("DROP TABLE runs, tracks, counts, vidan_schema", database=name)
    to_server(drain=20.0).close()
    assert server.run("SELECT min(number) FROM events", database=name) == [(1,)]


def test_a_row_that_the_server_never_takes_is_counted_and_the_others_are_written(
    server, to_server, caplog
):
    name = to_server.database
    sink = to_server(drain=20.0)
    server.run("ALTER TABLE events ADD CHECK (number <> 2)", database=name)
    with caplog.at_level(logging.WARNING):
        feed(sink, range(4))
        sink.close()
    assert server.run("SELECT number FROM events ORDER BY 1", database=name) == [(1,), (3,), (4,)]
    assert "dropped 1 events: the receiver refuses them" in caplog.text


def test_a_newer_schema_and_foreign_tables_are_left_alone(tmp_path):
    path = tmp_path / "vidan.sqlite"
    Sql(str(path)).close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE vidan_schema SET version = 99")
    with pytest.raises(SinkError, match=f"version 99 of the schema, .* knows {schema.VERSION}: up"):
        Sql(str(path))
    other = tmp_path / "other.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as database, database:
        database.execute("CREATE TABLE events (mine)")
    with pytest.raises(SinkError, match="table 'events' of another program"):
        Sql(str(other))


VERSION_1 = """
    CREATE TABLE vidan_schema (version INTEGER NOT NULL);
    INSERT INTO vidan_schema VALUES (1);
    CREATE TABLE runs (
        run TEXT NOT NULL, stream TEXT NOT NULL, began {time}, ended {time}, live BOOLEAN,
        frames {whole}, time {real}, width {whole}, height {whole}, PRIMARY KEY (run, stream)
    );
    INSERT INTO runs (run, stream, frames) VALUES ('old', 'cam', 7);
    {rest}
"""
"""The tables of the first version, with a row; the others are as they are now."""


def version_1(engine, **types):
    """Statements that create a database of version 1."""
    made = [CreateTable(schema.SQL_TABLES[name]) for name in ("events", "tracks", "counts")]
    rest = ";".join(str(each.compile(engine)) for each in made)
    return [each for each in VERSION_1.format(rest=rest, **types).split(";") if each.strip()]


def test_an_older_file_is_migrated_and_keeps_its_rows(tmp_path):
    path = tmp_path / "vidan.sqlite"
    engine = create_engine("sqlite://")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for statement in version_1(engine, time="DATETIME", real="DOUBLE", whole="INTEGER"):
            database.execute(statement)
    for _ in range(2):
        sink = Sql(str(path), run=RUN)
        feed(sink, range(3))
        sink.close()
    assert rows(path, "SELECT run, frames, version NOTNULL FROM runs ORDER BY run") == [
        ("old", 7, 0),
        ("run1", 3, 1),
    ]
    fresh = tmp_path / "fresh.sqlite"
    Sql(str(fresh)).close()
    described = (
        "SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c"
    )
    for query in (f"{described} ORDER BY 1, 2", "SELECT * FROM vidan_schema"):
        assert rows(path, query) == rows(fresh, query)


def test_an_older_server_is_migrated_and_keeps_its_rows(server, to_server):
    name, engine = to_server.database, create_engine("postgresql+psycopg://")
    types = {"time": "TIMESTAMPTZ", "real": "DOUBLE PRECISION", "whole": "BIGINT"}
    server.run(*version_1(engine, **types), database=name)
    sink = to_server(drain=20.0)
    feed(sink, range(3))
    sink.close()
    query = "SELECT run, frames, version IS NOT NULL FROM runs ORDER BY run"
    assert server.run(query, database=name) == [("old", 7, False), ("run1", 3, True)]
    assert server.run("SELECT version FROM vidan_schema", database=name) == [(schema.VERSION,)]


def test_the_password_of_a_database_is_in_no_file_and_no_message(here, capfd):
    url = f"postgresql://me:{PASSWORD}@127.0.0.1:1/counts"
    sink = ["sink=[sql,events]", f"sink.sql.url={url}", "sink.sql.drain=0"]
    assert cli.main(["max_frames=3", "run_dir=out", *sink]) == 0
    shown = capfd.readouterr()
    assert "cannot connect to database 'counts' on 127.0.0.1" in shown.err
    assert PASSWORD not in shown.out + shown.err
    written = [path for path in here.rglob("*") if path.is_file()]
    assert {"config.yaml", "hydra.yaml", "overrides.yaml", "summary.json", "vidan.log"} <= {
        path.name for path in written
    }
    assert [path for path in written if PASSWORD.encode() in path.read_bytes()] == []
    saved = (here / "out/.hydra/overrides.yaml").read_text()
    assert "sink.sql.url=postgresql://me:***@127.0.0.1:1/counts" in saved


def test_a_resumed_run_asks_for_the_password_that_was_not_saved(monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(ConfigError, match="url: its password is not saved: set PGPASSWORD to it"):
        database_url("postgresql://me:***@db/counts")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert database_url("postgresql://me:***@db/counts").password is None
    found = database_url("postgresql://me@db/counts", "PGPASSWORD")
    assert found.password == PASSWORD


def test_what_is_no_database_is_one_line(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)
    with pytest.raises(SinkError, match=r"notes\.txt' is not a SQLite database"):
        Sql(str(path))
    with pytest.raises(SinkError, match="is a folder: choose another path"):
        Sql(str(tmp_path))
    with pytest.raises(SinkError, match="cannot write"):
        Sql(str(path / "vidan.sqlite"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": f"mysql://me:{PASSWORD}@h/db"}, r"sink.sql.url: expected postgresql://.*\*\*\*@h"),
        ({"url": f"me:{PASSWORD}@host"}, "sink.sql.url: expected postgresql://"),
        ({"interval": "7min"}, "sink.sql.interval='7min'"),
        ({"recorded": "monday"}, "sink.sql.recorded='monday'"),
        ({"spool_size": 0}, "sink.sql.spool_size"),
        (
            {"url": "postgresql://h/db", "password_env": "NO_SUCH"},
            "sink.sql.password_env='NO_SUCH'",
        ),
    ],
)
def test_invalid_options_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message) as raised:
        build("sink", {"name": "sql", "path": "v.sqlite", **options}, "sink.sql")
    assert PASSWORD not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
