import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime

import pytest
from rich.filesize import decimal

import vidan
from vidan import ConfigError
from vidan.cli import main as cli
from vidan.cli import terminal
from vidan.execution.directory import claimed
from vidan.retention import Limits
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
    made(folder, "ours")
    made(folder, "sweep/9", days=1, summary=ended())
    made(folder, "sweep/10", days=1, summary=ended())
    without_access(folder / "ours")
    busy = made(folder, "now")
    (folder / "counts").mkdir()
    with locked(busy / ".hydra/lock"):
        rows = shown(capsys)
    assert [[row[0], row[1], row[-1]] for row in rows] == [
        ["run", "state", "source"],
        ["2026-01-01_00-00-00", "complete", "b.mp4"],
        ["2026-01-02_00-00-00", "failed", "b.mp4"],
        ["2026-01-03_00-00-00", "interrupted", "b.mp4"],
        ["mine", "killed", "rtsp"],
        ["now", "running", "b.mp4"],
        ["ours", "unknown", "b.mp4"],
        ["sweep/9", "complete", "b.mp4"],
        ["sweep/10", "complete", "b.mp4"],
    ]
    written = [f"{time.time() - days * DAY:.0f}" for days in (0, 1)]
    dates = [f"{datetime.fromtimestamp(int(each)):%Y-%m-%d}" for each in written]
    assert rows[1][2:6] == [dates[0], "5", "2.1", "kB"]
    assert rows[-1][2] == dates[1]


def without_access(run):
    """Make the lock one that cannot be opened, also not by root."""
    (run / ".hydra/lock").unlink()
    (run / ".hydra/lock").mkdir()


def test_the_list_fits_in_80_columns(folder, capsys, monkeypatch):
    made(folder, "2026-01-01_00-00-00_12", summary=ended(10**7), size=10**6)
    made(folder, "2026-01-02_00-00-00", summary=ended(interrupted=True))
    made(
        folder,
        "a-very-long-name-" * 3,
        source="{name: file, path: a/very-long-name-of-a-video.mp4}",
    )
    monkeypatch.setattr(terminal, "NO_TERMINAL_COLUMNS", 80)
    assert cli.main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    found = [line.split()[:2] for line in lines]
    assert ["2026-01-01_00-00-00_12", "complete"] in found
    assert ["2026-01-02_00-00-00", "interrupted"] in found
    assert "…" not in "".join(lines)


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


def test_a_run_cannot_start_in_a_directory_that_is_being_deleted(folder, capsys, monkeypatch):
    for day in (1, 2):
        made(folder, f"2026-01-0{day}_00-00-00", days=9 - day, summary=ended())
    tried, rmtree = [], shutil.rmtree

    def delete(directory, **options):
        with pytest.raises(ConfigError, match="another run is using it"), claimed(directory):
            tried.append(directory)
        rmtree(directory, **options)
        tried.append("deleted")

    monkeypatch.setattr(shutil, "rmtree", delete)
    shown(capsys, "clean", "--keep", "1")
    assert tried == ["deleted"]
    assert [path.name for path in folder.iterdir()] == ["2026-01-02_00-00-00"]


def test_a_run_that_starts_meanwhile_is_kept(folder, capsys, monkeypatch):
    for day in range(1, 4):
        made(folder, f"2026-01-0{day}_00-00-00", days=9 - day, summary=ended())
    surplus = Limits.surplus

    def resume(limits, *arguments):
        found = surplus(limits, *arguments)
        lock.enter_context(locked(folder / "2026-01-01_00-00-00/.hydra/lock"))
        return found

    monkeypatch.setattr(Limits, "surplus", resume)
    with ExitStack() as lock:
        rows = shown(capsys, "clean", "--keep", "1")
    assert [" ".join(row) for row in rows] == [
        "kept runs/2026-01-01_00-00-00: a run is using it",
        f"deleted runs/2026-01-02_00-00-00 {rows[1][2]} bytes)",
    ]
    assert (folder / "2026-01-01_00-00-00/summary.json").exists()
    assert not (folder / "2026-01-02_00-00-00").exists()


def test_a_run_whose_lock_cannot_be_opened_is_kept(folder, capsys):
    for day in range(1, 4):
        made(folder, f"2026-01-0{day}_00-00-00", days=9 - day)
    without_access(folder / "2026-01-01_00-00-00")
    shown(capsys, "clean", "--keep", "1")
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == ["2026-01-01_00-00-00", "2026-01-03_00-00-00"]


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_nothing_to_delete_is_said(folder, capsys, arguments):
    made(folder, "2026-01-01_00-00-00", days=99, summary=ended())
    assert shown(capsys, "clean", "--keep", "5", *arguments) == [["nothing", "to", "delete"]]


def test_a_sweep_is_deleted_as_a_whole_and_not_while_a_run_of_it_is_under_way(folder, capsys):
    for name in ("2026-01-01_00-00-00", "2026-01-02_00-00-00", "2026-01-03_00-00-00"):
        for number in (0, 1):
            made(folder, f"{name}/{number}", days=9, summary=ended())
    made(folder, "2026-01-04_00-00-00", days=8, summary=ended())
    (folder / "2026-01-01_00-00-00/1/summary.json").unlink()
    with locked(folder / "2026-01-01_00-00-00/1/.hydra/lock"):
        shown(capsys, "clean", "--keep", "7d")
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == ["2026-01-01_00-00-00", "2026-01-04_00-00-00"]
    assert len(list((folder / "2026-01-01_00-00-00").iterdir())) == 2


def test_what_cannot_be_deleted_does_not_keep_the_rest(folder, capsys, caplog, monkeypatch):
    for day in range(1, 4):
        made(folder, f"2026-01-0{day}_00-00-00", days=9 - day, summary=ended())
    rmtree = shutil.rmtree

    def delete(directory, **options):
        if directory.name.startswith("2026-01-01"):
            raise PermissionError(13, "Permission denied")
        rmtree(directory, **options)

    monkeypatch.setattr(shutil, "rmtree", delete)
    assert cli.main(["runs", "clean", "--keep", "1"]) == 1
    assert "cannot delete 'runs/2026-01-01_00-00-00': Permission denied" in caplog.text
    assert capsys.readouterr().out.startswith("deleted runs/2026-01-02_00-00-00")


def test_show_prints_configuration_summary_and_files(here, capsys):
    small = ["source.width=160", "source.height=96", "max_frames=2", "sink=[jsonl]"]
    assert cli.main([*small, "detector.threshold=0.9", "run_dir=runs/a b"]) == 0
    capsys.readouterr()
    for name in ("a b", "runs/a b"):
        assert cli.main(["runs", "show", name]) == 0
        out = capsys.readouterr().out
        lines = [" ".join(line.split()) for line in out.splitlines()]
        assert lines[0].startswith("runs/a b complete, written 20")
        arguments = " ".join([*small[:3], "'sink=[jsonl]'", "detector.threshold=0.9"])
        assert f"vidan {arguments} 'run_dir=runs/a b'" in lines
        assert "\n  name: onnx\n" in out
        assert "  threshold: 0.9\n" in out
        assert "frames 2 (0 dropped, 0 skipped)" in lines
        files = lines[lines.index("files") + 1 :]
        assert [line.split()[-1] for line in files] == [
            "results.jsonl",
            "summary.json",
        ]
        size = (here / "runs/a b/results.jsonl").stat().st_size
        assert files[0] == f"{decimal(size)} results.jsonl"


def test_show_tells_the_state_and_the_error_of_a_failed_run(here, capsys):
    made(here / "runs", "mine", source="{name: rtsp, path: 'rtsp://me:hidden@h/x'}")
    config = here / "runs/mine/.hydra/config.yaml"
    config.write_text(config.read_text() + "sink: {web: {token: hidden-too}}\n")
    (here / "runs/mine/.hydra/overrides.yaml").write_text("- source.path=rtsp://me:hidden@h/x y\n")
    assert cli.main(["runs", "show", "mine"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("runs/mine  killed, written")
    assert "hidden" not in out
    assert "path: rtsp://***@h/x" in out
    with locked(here / "runs/mine/.hydra/lock"):
        assert cli.main(["runs", "show", "mine"]) == 0
    assert capsys.readouterr().out.startswith("runs/mine  running, written")


def test_show_tells_the_error(here, capsys):
    failing = "source.frames=3 source.width=160 source.height=96 sink=[failing] plugins_dir=mine"
    (here / "mine").mkdir()
    (here / "mine/failing.py").write_text(FAILING)
    # In a process of its own: the plugin would stay registered.
    command = [sys.executable, "-m", "vidan", *failing.split(), "run_dir=out"]
    assert subprocess.run(command, check=False).returncode == 1
    assert cli.main(["runs", "show", "out"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("out  failed, written")
    assert out.count("the disk is gone") == 1


FAILING = """
from vidan import SinkError, hookimpl

class Failing:
    lossless = True
    def write(self, result): raise SinkError("the disk is gone")
    def close(self): pass

@hookimpl
def vidan_components(registry):
    registry.add("sink", "failing", __name__ + ":Failing")
"""


def test_a_run_from_python_has_no_configuration(here, capsys):
    vidan.run("source.width=160 source.height=96 max_frames=1 sink=[jsonl] run_dir=out")
    assert cli.main(["runs", "show", "out"]) == 0
    assert "runs that Python starts do not save it" in capsys.readouterr().out


def test_many_files_are_summed_up(folder, capsys):
    run = made(folder, "mine", size=0)
    for number in range(60):
        (run / f"{number:03}.jpg").write_bytes(bytes(100))
    assert cli.main(["runs", "show", "mine"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "   1.0 kB  in 11 more files"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["clean", "--keep", "much"], 2, "keep='much': expected a size such as 20GB"),
        (["clean"], 2, "--keep"),
        (["nowhere"], 2, "cannot read the folder 'nowhere'"),
        (["show", "nowhere"], 2, "'nowhere' is not the directory of a run: vidan runs lists them"),
    ],
)
def test_bad_arguments(folder, capsys, arguments, code, message):
    assert cli.main(["runs", *arguments]) == code
    assert message in capsys.readouterr().err
