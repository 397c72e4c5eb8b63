"""Saving and restoring counts, with a clock that the test sets."""

import datetime
import json
import logging

import numpy as np
import pytest

from tests.vidan.execution.tally import Tally
from tests.vidan.fakes import frame
from vidan import Detections, Result, Tracks
from vidan.errors import ConfigError
from vidan.execution.counts import CountsKeeper, next_midnight, restored
from vidan.execution.counts_file import CountsFile, Saved
from vidan.scene import SceneContext

NEW = Saved("camera", "scene", "job")


def noon(day=25):
    return datetime.datetime(2026, 11, day, 12).timestamp()


class Run:
    """A keeper and a tally, called as a stream does, at times that the test sets."""

    def __init__(self, path, *, daily=False, every=60.0, saved=NEW):
        self.now = noon()
        self.path = path
        self.tally = Tally()
        self.keeper = CountsKeeper(
            CountsFile(path),
            saved,
            {"tally": self.tally},
            fingerprint=lambda: "edited",
            daily=daily,
            every=every,
            clock=lambda: self.now,
        )
        self.index = 0

    def frame(self, seconds=1.0, ids=()):
        self.now += seconds
        tracks = Tracks.empty()
        if ids:
            n, none = len(ids), np.zeros(len(ids), np.int32)
            boxes = np.tile(np.array([[0, 0, 9, 9]], np.float32), (n, 1))
            tracks = Tracks(np.array(ids), boxes, np.ones(n, np.float32), none, none, none)
        result = Result(frame(self.index), Detections.empty(), tracks)
        self.index += 1
        for analyzer in (self.keeper, self.tally):
            analyzer.update(result)

    def end(self):
        for analyzer in (self.keeper, self.tally):
            analyzer.finish()
        self.keeper.close()
        return self.saved()

    def saved(self):
        return json.loads(self.path.read_text())


def test_counts_are_saved_every_minute_and_at_the_end(tmp_path):
    run = Run(tmp_path / "deep/counts.json")
    for _ in range(59):
        run.frame()
    run.keeper._writer.submit(lambda: None).result()
    assert not run.path.exists()
    run.frame()
    run.keeper._writer.submit(lambda: None).result()  # what was to be written has been
    assert run.saved()["states"]["tally"]["count"] == 59
    for _ in range(30):
        run.frame(ids=[4, 17])
    saved = run.end()
    assert saved["states"]["tally"]["count"] == 90
    assert saved["time"] == pytest.approx(89 / 30)
    assert saved["at"] == run.now
    assert saved["last_id"] == 17
    assert {path.name for path in run.path.parent.iterdir()} <= {"counts.json", "counts.json.lock"}


def test_counts_are_saved_as_often_as_asked(tmp_path):
    run = Run(tmp_path / "counts.json", every=5.0)
    for _ in range(14):
        run.frame()
    run.keeper._writer.submit(lambda: None).result()
    assert run.saved()["states"]["tally"]["count"] == 9
    run.end()


def test_a_restored_analyzer_continues_with_times_before_zero(tmp_path):
    run = Run(tmp_path / "counts.json")
    for _ in range(31):
        run.frame()
    run.end()
    saved = Saved.parse(run.path.read_text(), NEW)
    new = Tally()
    found = restored({"tally": new, "other": object()}, saved, -(saved.time + 20))["tally"]
    assert (found.count, found.last) == (31, pytest.approx(-20))
    assert new.count == 0


def test_counts_start_from_zero_at_midnight(tmp_path):
    run = Run(tmp_path / "counts.json", daily=True)
    run.frame()
    run.frame(12 * 3600 - 2)
    assert run.tally.count == 2
    run.frame(1)
    assert (run.tally.count, run.tally.number) == (1, 3)  # ids of events go on
    run.frame(24 * 3600 - 1)
    assert run.tally.count == 2
    run.frame(1)
    assert run.tally.count == 1
    assert run.end()["states"]["tally"]["count"] == 1


def test_counts_never_start_from_zero_by_default(tmp_path):
    run = Run(tmp_path / "counts.json")
    run.frame()
    run.frame(48 * 3600)
    assert run.end()["states"]["tally"]["count"] == 2


@pytest.mark.parametrize("day", [28, 29, 30, 31])
def test_midnight_is_on_the_next_day_also_when_the_clocks_change(day):
    now = datetime.datetime(2026, 3, day, 23, 59).timestamp()
    found = datetime.datetime.fromtimestamp(next_midnight(now))
    assert found == datetime.datetime(2026, 3, day) + datetime.timedelta(days=1)
    assert next_midnight(next_midnight(now)) > next_midnight(now)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c: c | {"scene": "other"}, "are from another scene"),
        (lambda c: c | {"version": 2}, "have format 2, not 1"),
        (lambda c: c | {"states": []}, "are damaged"),
        (lambda c: c | {"at": "noon"}, "are damaged"),
        (lambda c: c | {"new": 1}, "are damaged"),
        (lambda c: {key: c[key] for key in c if key != "version"}, "are damaged"),
        (lambda c: [c], "are damaged"),
    ],
)
def test_other_files_are_refused(change, why):
    with pytest.raises(ValueError, match=why):
        Saved.parse(json.dumps(change(json.loads(NEW.text()))), NEW)
    assert Saved.parse(NEW.text(), NEW) == NEW


def test_half_a_file_is_damaged():
    text = NEW.text()
    for length in range(0, len(text) - 2, 7):
        with pytest.raises(ValueError, match="damaged"):
            Saved.parse(text[:length], NEW)


@pytest.mark.parametrize("state", [{}, [], None, {"count": 1, "number": 2, "last": "soon"}])
def test_whatever_an_analyzer_cannot_restore_is_an_error_that_names_it(state):
    saved = NEW._replace(states={"tally": state})
    with pytest.raises(ValueError, match="tally: "):
        restored({"tally": Tally()}, saved, -1.0)


def test_files_set_aside_never_replace_each_other(tmp_path, caplog):
    file = CountsFile(tmp_path / "counts.json")
    for text in ("one", "two", "three"):
        file.write(text)
        file.set_aside("are damaged")
    kept = sorted(tmp_path.glob("*.kept*"))
    assert [path.read_text() for path in kept] == ["one", "two", "three"]
    assert "counts.json are damaged: kept as" in caplog.text


def test_a_file_belongs_to_one_run_at_a_time(tmp_path):
    file = CountsFile(tmp_path / "counts.json")
    with pytest.raises(ConfigError, match=r"counts\.json'?: another run uses it: set counts\.path"):
        CountsFile(tmp_path / "counts.json")
    file.close()
    CountsFile(tmp_path / "counts.json").close()


def test_a_failed_write_is_reported_once_and_leaves_the_file(tmp_path, caplog):
    file = CountsFile(tmp_path / "counts.json")
    file.write("whole")
    (tmp_path / "counts.json.part").mkdir()  # cannot be opened as a file
    with caplog.at_level(logging.ERROR):
        file.write("next")
        file.write("next")
    assert caplog.text.count("cannot save the counts") == 1
    assert file.read() == "whole"


def test_counts_after_an_edit_belong_to_the_new_scene(tmp_path):
    run = Run(tmp_path / "counts.json")
    run.frame()
    run.keeper.change_scene(SceneContext({}))
    run.frame()
    assert run.end()["scene"] == "edited"
