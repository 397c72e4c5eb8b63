import json
import os
import time

import pytest

from vidan.cli import main as cli
from vidan.support.lock import locked

DAY = 86_400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def made(folder, name, *, days=0, size=0, summary=None, source="{name: file, path: /a/b.mp4}"):
    (folder / name / ".hydra").mkdir(parents=True)
    (folder / name / ".hydra/lock").touch()
    (folder / name / ".hydra/config.yaml").write_text(f"source: {source}\n")
    (folder / name / "video.mp4").write_bytes(bytes(size))
    if summary is not None:
        (folder / name / "summary.json").write_text(json.dumps(summary))
    for path in (folder / name).rglob("*"):
        os.utime(path, (time.time() - days * DAY,) * 2)
    return folder / name


def ended(frames=5, error=None, interrupted=False):
    return {"frames": frames, "error": error, "interrupted": interrupted}


def shown(capsys, *arguments):
    assert cli.main(["runs", *arguments]) == 0
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_runs_are_listed_with_their_state(folder, capsys):
    made(folder, "2026-01-01_00-00-00", summary=ended(), size=2000)
    made(folder, "2026-01-02_00-00-00", summary=ended(7, error="broke"))
    made(folder, "2026-01-03_00-00-00", summary=ended(interrupted=True))
    made(folder, "mine", source="{name: rtsp, path: 'rtsp://h/user=me_password=hidden'}")
    busy = made(folder, "now")
    (folder / "counts").mkdir()
    with locked(busy / ".hydra/lock"):
        rows = shown(capsys)
    assert [row[:3] for row in rows] == [
        ["run", "state", "source"],
        ["2026-01-01_00-00-00", "complete", "b.mp4"],
        ["2026-01-02_00-00-00", "failed", "b.mp4"],
        ["2026-01-03_00-00-00", "interrupted", "b.mp4"],
        ["mine", "killed", "rtsp"],
        ["now", "running", "b.mp4"],
    ]
    assert rows[1][3:] == ["5", "2.1", "kB"]


def test_without_runs(folder, capsys):
    assert shown(capsys) == [["no", "runs"]]


def test_old_runs_are_deleted_and_nothing_else(folder, capsys):
    for day in range(1, 6):
        made(folder, f"2026-01-0{day}_00-00-00", days=9.5 - day, summary=ended())
    made(folder, "mine", days=99, summary=ended())
    (folder / "2026-01-09_00-00-00").mkdir()  # not a run
    busy = folder / "2026-01-01_00-00-00"
    arguments = ["clean", "--keep", "7d"]
    with locked(busy / ".hydra/lock"):
        would = shown(capsys, *arguments, "--dry-run")
        assert [row[2] for row in would] == ["runs/2026-01-02_00-00-00"]
        assert (folder / "2026-01-02_00-00-00").exists()
        shown(capsys, *arguments)
    left = ["2026-01-01", "2026-01-03", "2026-01-04", "2026-01-05", "2026-01-09", "mine"]
    assert [path.name[:10] for path in sorted(folder.iterdir())] == left
    shown(capsys, "clean", "--keep", "2")
    assert len(list(folder.iterdir())) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["clean", "--keep", "much"], 2, "keep='much': expected a size such as 20GB"),
        (["clean"], 2, "--keep"),
        (["nowhere"], 2, "cannot read the folder 'nowhere'"),
    ],
)
def test_bad_arguments(folder, capsys, arguments, code, message):
    assert cli.main(["runs", *arguments]) == code
    assert message in capsys.readouterr().err
