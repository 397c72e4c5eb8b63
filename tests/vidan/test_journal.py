import json

import pytest

from vidan import SinkError
from vidan.interfaces import Resumable
from vidan.journal import FILE, RunJournal, RunStart
from vidan_plugins.sinks.jsonl import JsonLines
from vidan_plugins.sinks.mot import MotFile
from vidan_plugins.sinks.snapshots import Snapshots
from vidan_plugins.sinks.video.sink import VideoSink


def test_start_time_and_files_are_restored(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    first = RunJournal(directory, resumed=False)
    first.note(directory / "a.mp4")
    first.note(tmp_path / "elsewhere/b.mp4")
    again = RunJournal(directory, resumed=True)
    assert again.began == first.began
    assert again.files == {directory / "a.mp4", tmp_path / "elsewhere/b.mp4"}
    again.note(directory / "c.mp4")
    assert RunJournal(directory, resumed=True).files == again.files | {directory / "c.mp4"}


def test_a_resumed_run_keeps_its_id_and_a_new_one_gets_another(tmp_path):
    assert RunStart.read(tmp_path) is None
    start = RunStart.new()
    RunJournal(tmp_path, resumed=False, start=start)
    assert RunStart.read(tmp_path) == start
    RunJournal(tmp_path, resumed=True, start=start)
    assert RunStart.read(tmp_path) == start
    RunJournal(tmp_path, resumed=False)
    assert RunStart.read(tmp_path).id != start.id


def test_the_directory_may_be_moved(tmp_path):
    (tmp_path / "before").mkdir()
    RunJournal(tmp_path / "before", resumed=False).note(tmp_path / "before/a.mp4")
    (tmp_path / "before").rename(tmp_path / "after")
    assert RunJournal(tmp_path / "after", resumed=True).files == {tmp_path / "after/a.mp4"}


def test_a_new_run_restores_nothing(tmp_path):
    RunJournal(tmp_path, resumed=False).note(tmp_path / "a.mp4")
    assert not RunJournal(tmp_path, resumed=False).files
    assert not RunJournal(tmp_path, resumed=True).files


def test_incomplete_lines_are_skipped(tmp_path):
    complete = json.dumps({"began": 5.0}) + "\n" + json.dumps({"file": "a"})
    (tmp_path / FILE).write_text(complete + '\n{"file": "b')
    journal = RunJournal(tmp_path, resumed=True)
    assert (journal.began, journal.files) == (5.0, {tmp_path / "a"})
    journal.note(tmp_path / "c")
    assert RunJournal(tmp_path, resumed=True).files == {tmp_path / "a", tmp_path / "c"}
    (tmp_path / FILE).write_bytes(b"\xff\x00")
    assert not RunJournal(tmp_path, resumed=True).files


def test_a_journal_that_cannot_be_written(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(SinkError, match=r"job\.jsonl"):
        RunJournal(tmp_path, resumed=False)


def test_sinks_with_files_named_after_the_clock_are_resumable():
    assert issubclass(VideoSink, Resumable)
    assert issubclass(Snapshots, Resumable)
    assert issubclass(JsonLines, Resumable)
    assert issubclass(MotFile, Resumable)
