import os
from datetime import datetime
from pathlib import Path

import pytest

from vidan import ConfigError
from vidan.journal import RunJournal
from vidan_plugins.sinks.textfiles import TextFiles

NOON = datetime(2026, 3, 5, 12).timestamp()
HOUR = 3600.0


@pytest.fixture
def clock(monkeypatch):
    """The time of the sinks, s since 1970, which the files have too."""
    now = [NOON]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def write(files, clock, *hours):
    """A line at each of these hours after noon."""
    for hour in hours:
        clock[0] = NOON + hour * HOUR
        files.write([f"{hour}"])
        os.utime(files.paths[-1], (clock[0], clock[0]))
    files.close()


def content(folder):
    return {path.name: path.read_text().split() for path in sorted(folder.iterdir())}


def test_without_limits_there_is_one_file(tmp_path, clock):
    write(TextFiles(str(tmp_path / "a.jsonl")), clock, 0, 30)
    assert content(tmp_path) == {"a.jsonl": ["0", "30"]}


def test_a_new_file_starts_at_midnight(tmp_path, clock):
    files = TextFiles(str(tmp_path / "a.jsonl"), "30d")
    assert content(tmp_path) == {}
    write(files, clock, 0, 11.9, 12.1, 30)
    assert content(tmp_path) == {
        "a-2026-03-05_12-00-00.jsonl": ["0", "11.9"],
        "a-2026-03-06_00-06-00.jsonl": ["12.1", "30"],
    }
    assert [Path(path).name for path in files.paths] == list(content(tmp_path))


def test_files_that_are_too_old_are_deleted_and_others_are_left_alone(tmp_path, clock):
    (tmp_path / "a.jsonl").write_text("of somebody")
    write(TextFiles(str(tmp_path / "a.jsonl"), "2h"), clock, 0, 1, 2, 3, 4)
    assert list(content(tmp_path)) == [
        "a-2026-03-05_14-00-00.jsonl",
        "a-2026-03-05_15-00-00.jsonl",
        "a-2026-03-05_16-00-00.jsonl",
        "a.jsonl",
    ]


def test_the_size_of_all_files_stays_below_its_limit(tmp_path, clock):
    files = TextFiles(str(tmp_path / "a.jsonl"), "20kB")
    for _ in range(100):
        files.write(["x" * 999])
    files.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert max(sizes) == 2000
    assert 14_000 < sum(sizes) <= 20_000


def test_a_resumed_run_replaces_the_files_of_the_first_attempt(tmp_path, clock):
    (tmp_path / "run").mkdir()
    for resumed in (False, True):
        files = TextFiles(str(tmp_path / "out" / "a.jsonl"), 5)
        files.resume_from(RunJournal(tmp_path / "run", resumed=resumed))
        clock[0] += 60
        files.write(["line"])
        files.close()
    assert content(tmp_path / "out") == {"a-2026-03-05_12-02-00.jsonl": ["line"]}


def test_a_limit_that_is_none(tmp_path):
    with pytest.raises(ConfigError, match="keep='much'"):
        TextFiles(str(tmp_path / "a.jsonl"), "much")
