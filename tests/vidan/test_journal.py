import json

import pytest

from vidan import SinkError
from vidan.interfaces import Resumable
from vidan.journal import FILE, RunJournal
from vidan_plugins.sinks.jsonl import JsonLines
from vidan_plugins.sinks.snapshots import Snapshots
from vidan_plugins.sinks.video.sink import VideoSink


def test_it_recalls_when_it_began_and_what_it_made(tmp_path):
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


def test_files_in_a_directory_that_was_moved(tmp_path):
    (tmp_path / "before").mkdir()
    RunJournal(tmp_path / "before", resumed=False).note(tmp_path / "before/a.mp4")
    (tmp_path / "before").rename(tmp_path / "behind")
    assert RunJournal(tmp_path / "behind", resumed=True).files == {tmp_path / "behind/a.mp4"}


def test_a_new_job_recalls_nothing(tmp_path):
    RunJournal(tmp_path, resumed=False).note(tmp_path / "a.mp4")
    assert not RunJournal(tmp_path, resumed=False).files
    assert not RunJournal(tmp_path, resumed=True).files


def test_what_a_power_cut_left_is_passed_over(tmp_path):
    whole = json.dumps({"began": 5.0}) + "\n" + json.dumps({"file": "a"})
    (tmp_path / FILE).write_text(whole + '\n{"file": "b')
    job = RunJournal(tmp_path, resumed=True)
    assert (job.began, job.files) == (5.0, {tmp_path / "a"})
    job.note(tmp_path / "c")
    assert RunJournal(tmp_path, resumed=True).files == {tmp_path / "a", tmp_path / "c"}
    (tmp_path / FILE).write_bytes(b"\xff\x00")
    assert not RunJournal(tmp_path, resumed=True).files


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / FILE).mkdir()
    with pytest.raises(SinkError, match=r"job\.jsonl"):
        RunJournal(tmp_path, resumed=False)


def test_sinks_of_files_with_names_by_the_clock_can_be_repeated():
    assert issubclass(VideoSink, Resumable)
    assert issubclass(Snapshots, Resumable)
    assert not issubclass(JsonLines, Resumable)
