import os
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.plugins.sinks.store.rows import RUN, crossing, feed
from vidan import ConfigError, SinkError
from vidan.journal import RunJournal
from vidan.testing import SinkSuite
from vidan_plugins.sinks.store import parquet
from vidan_plugins.sinks.store.parquet import Parquet

arrow = pytest.importorskip("pyarrow")


class TestParquet(SinkSuite):
    def make(self, tmp_path):
        return Parquet(str(tmp_path / "deep/dataset"))

    def check(self, tmp_path, results):
        (row,) = read(tmp_path / "deep/dataset", "events")
        assert (row["id"], row["stream"], row["number"]) == ("test/1", "test", 1)
        assert len(read(tmp_path / "deep/dataset", "tracks")) == 3


class Killed(BaseException):
    """The process ends here."""


def read(folder, table):
    """The rows of a table, by number, as any reader of datasets finds them."""
    from pyarrow import dataset

    if not (folder / table).exists():
        return []
    found = dataset.dataset(folder / table, partitioning="hive").to_table().to_pylist()
    return sorted(found, key=lambda row: row.get("number", 0))


def numbers(folder):
    return [row["number"] for row in read(folder, "events")]


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("part-*"))


def test_rows_are_in_folders_of_their_date_and_stream(tmp_path):
    sink = Parquet(str(tmp_path), recorded="2026-11-25T23:59:59.75+00:00", run=RUN)
    sink.emit([crossing(0, origin="door", more="ü", seconds=2.5)])
    feed(sink, range(1, 6))
    sink.close()
    assert files(tmp_path / "events") == [
        "date=2026-11-25/stream=test/part-run1-1.parquet",
        "date=2026-11-26/stream=test/part-run1-1.parquet",
    ]
    first = read(tmp_path, "events")[0]
    assert first["timestamp"] == datetime(2026, 11, 25, 23, 59, 59, 750_000, UTC)
    assert (first["direction"], first["origin"], first["seconds"]) == ("in", "door", 2.5)
    assert '"more": "ü"' in first["data"]
    (track,) = read(tmp_path, "tracks")
    assert (track["frames"], track["first_x1"], track["last_x1"]) == (5, 11.0, 15.0)
    assert [row["count"] for row in read(tmp_path, "counts")] == [3, 0, 3, 0]


def test_without_a_clock_the_date_is_that_of_the_run(tmp_path):
    sink = Parquet(str(tmp_path), run=RUN)
    feed(sink, range(3))
    sink.close()
    assert files(tmp_path / "events") == ["date=2026-09-21/stream=test/part-run1-1.parquet"]
    assert read(tmp_path, "events")[0]["timestamp"] is None


def test_files_are_written_when_there_are_enough_rows_or_it_is_time(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_ROWS", 10)
    sink = Parquet(str(tmp_path), run=RUN)
    feed(sink, range(25))
    assert numbers(tmp_path) == list(range(1, 21))
    sink.close()
    sink.close()
    assert numbers(tmp_path) == list(range(1, 26))
    sink = Parquet(str(tmp_path / "soon"), rotate=1e-6, run=RUN)
    feed(sink, range(3))
    assert numbers(tmp_path / "soon") == [1, 2]
    sink.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_run_left_is_written_once_by_the_next(tmp_path, monkeypatch, when):
    monkeypatch.setattr(parquet, "MAX_ROWS", 10)
    sink = Parquet(str(tmp_path), run=RUN)
    feed(sink, range(9))
    write = sink._dataset.write

    def killed(*rows):
        if when == "after":
            write(*rows)
        raise Killed

    monkeypatch.setattr(sink._dataset, "write", killed)
    with pytest.raises(Killed):
        feed(sink, range(9, 15))
    sink._spool.close()
    following = Parquet(str(tmp_path), run=replace(RUN, id="run2"))
    feed(following, range(3))
    following.close()
    found = [(row["run"], row["number"]) for row in read(tmp_path, "events")]
    assert sorted(found) == [("run1", n) for n in range(1, 11)] + [("run2", n) for n in (1, 2, 3)]


def test_a_resumed_run_has_each_row_once(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_ROWS", 10)
    dataset = tmp_path / "dataset"
    sink = Parquet(str(dataset), run=RUN)
    sink.resume_from(RunJournal(tmp_path, resumed=False))
    feed(sink, range(15))
    sink._spool.close()  # killed
    sink = Parquet(str(dataset), run=RUN)
    sink.resume_from(RunJournal(tmp_path, resumed=True))
    assert numbers(dataset) == []
    feed(sink, range(25))
    sink.close()
    assert numbers(dataset) == list(range(1, 26))


def test_a_new_run_in_the_same_folder_replaces_the_dataset_in_it(tmp_path):
    for run in ("run1", "run2"):
        context = replace(RUN, id=run, directory=tmp_path)
        sink = Parquet(str(tmp_path / "dataset"), run=context)
        feed(sink, range(3))
        sink.close()
    assert {row["run"] for row in read(tmp_path / "dataset", "events")} == {"run2"}


def test_old_files_are_deleted_and_others_are_not(tmp_path):
    for run in ("run1", "run2", "run3"):
        sink = Parquet(str(tmp_path), keep="1d", run=replace(RUN, id=run))
        feed(sink, range(3))
        sink.close()
        for path in tmp_path.rglob(f"part-{run}-*"):
            os.utime(path, (time.time(), time.time() - 90_000))
    other = tmp_path / "events/mine.parquet"
    other.touch()
    os.utime(other, (0, 0))
    Parquet(str(tmp_path), keep="1d", run=RUN).close()
    (kept,) = files(tmp_path)  # the newest file is kept, however old it is
    assert "run3" in kept
    assert other.exists()
    with pytest.raises(ConfigError, match="keep='1 day': expected a size"):
        Parquet(str(tmp_path), keep="1 day")


def test_the_name_of_a_stream_may_have_any_character(tmp_path):
    for stream in ("", "rtsp://***@cam/é=1?", ".."):
        sink = Parquet(str(tmp_path))
        feed(sink, [1], stream=stream)
        sink.close()
    assert {row["stream"] for row in read(tmp_path, "events")} == {
        None,
        "rtsp://***@cam/é=1?",
        "..",
    }


def test_two_runs_of_a_stream_cannot_write_at_the_same_time(tmp_path):
    sink = Parquet(str(tmp_path), run=RUN)
    with pytest.raises(ConfigError, match="another run of this stream writes to it"):
        Parquet(str(tmp_path), run=replace(RUN, id="run2"))
    other = Parquet(str(tmp_path), run=replace(RUN, id="run3", stream="other"))
    for each in (sink, other):
        each.close()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        Parquet(str(tmp_path / "file/dataset"))


def test_a_failure_is_not_repeated_when_the_sink_is_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_ROWS", 5)
    sink = Parquet(str(tmp_path), run=RUN)
    (tmp_path / "events").touch()
    with pytest.raises(SinkError, match="cannot write"):
        feed(sink, range(10))
    sink.close()
    (tmp_path / "events").unlink()
    Parquet(str(tmp_path), run=replace(RUN, id="run2")).close()
    assert numbers(tmp_path) == [1, 2, 3, 4, 5]
