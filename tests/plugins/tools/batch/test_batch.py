"""`vidan batch` over clips of the synthetic street."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import vidan
from vidan.cli.main import main
from vidan.config.shards import Shard

from .conftest import BATCH, LINE, events, finished, rows

NAMES = ["a/0.mp4", "a/1.mp4", "b/2.mp4"]
DONE = ("done", 0, None)


@pytest.fixture
def strange(clips):
    """Overrides that choose the detector of `strange.py`; `log` has what it wrote."""
    (clips / "plugins").mkdir()
    shutil.copy(Path(__file__).with_name("strange.py"), clips / "plugins")
    Path("log").touch()
    return ["plugins_dir=plugins", "detector=strange", f"detector.log={clips / 'log'}"]


def logged(kind):
    found = [line.split() for line in Path("log").read_text().splitlines()]
    return [rest for word, *rest in found if word == kind]


def test_each_file_has_the_outputs_of_a_run_and_all_are_in_one_dataset(batch, capsys):
    ran = batch("detector=onnx", "runner.workers=2")
    assert "3 complete, 0 failed" in ran.out
    assert rows() == dict.fromkeys(NAMES, DONE)
    vidan.run(
        ["source=file", "source.path=clips/a/1.mp4", "source.stream=a/1.mp4", LINE],
        tracker="sort",
        sink="[events]",
        run_dir="one",
    )
    alone = events("one/events.jsonl")
    assert events("out/files/a/1.mp4/events.jsonl") == alone
    assert any(event["kind"] == "line.crossed" for event in alone)
    with sqlite3.connect("out/manifest.sqlite") as database:
        query = "SELECT outputs, summary, seconds, worker FROM files WHERE name = 'b/2.mp4'"
        outputs, one, seconds, worker = database.execute(query).fetchone()
    assert "files/b/2.mp4/events.jsonl" in json.loads(outputs)
    assert json.loads(one)["frames"] == 40
    assert seconds > 0
    assert ":" in worker
    summary = json.loads(Path("out/summary.json").read_text())
    assert (summary["files"], summary["failed"], summary["frames"]) == (3, {}, 120)
    total = sum(len(events(f"out/files/{name}/events.jsonl")) for name in NAMES)
    assert sum(summary["events"].values()) == total
    one = json.loads(Path("out/files/a/1.mp4/summary.json").read_text())
    assert all(Path(path).exists() for path in one["outputs"])
    import pyarrow.dataset

    table = pyarrow.dataset.dataset("out/dataset/events", partitioning="hive").to_table()
    assert len(table) == total
    assert sorted(set(table["stream"].to_pylist())) == NAMES
    assert sorted(table["stream"].to_pylist()) == table["stream"].to_pylist()
    assert main(["report", "out", "questions=lines"]) == 0
    crossed = {event["label"] for event in alone if event["kind"] == "line.crossed"}
    report = capsys.readouterr().out
    assert all(f"a/1.mp4  middle  {label}" in report for label in crossed)


def test_a_tracker_gets_scores_on_the_scale_of_the_model(batch):
    given = ["detector=people", "tracker=steady", "max_frames=20"]
    batch(*given)
    vidan.run(
        ["source=file", "source.path=clips/a/1.mp4", "source.stream=a/1.mp4", LINE, *given],
        sink="[events]",
        run_dir="one",
    )
    for name in ("a/0.mp4", "a/1.mp4"):  # the second one has a detector that was kept
        assert events(f"out/files/{name}/events.jsonl"), name
    assert events("out/files/a/1.mp4/events.jsonl") == events("one/events.jsonl")


def test_a_complete_job_is_not_repeated_and_new_or_changed_files_are_processed(batch, street):
    Path("det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    mot = ["detector=mot", "detector.path=det.txt"]
    batch(*mot)
    before = finished()
    assert list(before) == NAMES
    batch(*mot)
    assert finished() == before
    shutil.copy(street / "0.mp4", "clips/b/3.mp4")
    os.utime("clips/a/1.mp4")
    batch(*mot)
    after = finished()
    assert sorted(after) == [*NAMES, "b/3.mp4"]
    assert {name for name in before if before[name] == after[name]} == {"a/0.mp4", "b/2.mp4"}


def test_a_job_that_is_killed_continues_where_it_stopped(strange):
    given = [*BATCH, *strange, "detector.seconds=0.01"]
    command = [sys.executable, "-m", "vidan", "batch", *given]
    with subprocess.Popen(command, stderr=-1) as process:
        deadline = time.monotonic() + 60
        while len(finished()) < 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        while len(logged("file")) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    before = finished()
    assert list(before) == ["a/0.mp4"]
    subprocess.run(command, check=True, capture_output=True)
    assert rows() == dict.fromkeys(NAMES, DONE)
    assert finished().items() >= before.items()
    begun = [name for _, name in logged("file")]
    assert begun == ["a/0.mp4", "a/1.mp4", "a/1.mp4", "b/2.mp4"]
    assert [threads for _, threads in logged("load")] == ["1", "1"]  # once in each worker
    assert not Path("out/_partial").exists()


def test_a_file_that_kills_its_worker_is_retried_then_reported_and_skipped(batch, strange):
    Path("clips/b/damaged.mp4").write_bytes(b"no video")
    given = [*strange, "detector.kills=a/1.mp4"]
    ran = batch(*given, "retries=1", check=1)
    states = rows()
    assert {name: state[0] for name, state in states.items()} == {
        "a/0.mp4": "done", "a/1.mp4": "failed", "b/2.mp4": "done", "b/damaged.mp4": "failed"
    }  # fmt: skip
    assert states["a/1.mp4"][1] == 2
    assert "its worker died" in states["a/1.mp4"][2]
    assert "damaged.mp4" in states["b/damaged.mp4"][2]
    assert [name for _, name in logged("file")].count("a/1.mp4") == 2
    assert "2 complete, 2 failed" in ran.out
    assert "2 of 4 files failed, such as 'a/1.mp4': its worker died" in ran.err
    assert "Traceback" not in ran.err
    again = batch(*given, "retries=1", check=1)
    assert "2 of 4 files failed" in again.err
    assert [name for _, name in logged("file")].count("a/1.mp4") == 2
    batch(*given, "retries=0", "retry_failed=true", check=1)
    assert [name for _, name in logged("file")].count("a/1.mp4") == 3


def test_another_configuration_needs_another_folder(batch, clips):
    Path("det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    mot = ["detector=mot", "detector.path=det.txt"]
    batch(*mot)
    ran = batch(*mot, "tracker.max_age=7", check=2)
    assert ran.err.strip() == (
        f"vidan: error: run_dir={str(clips / 'out')!r} has the outputs of another configuration "
        "(tracker.max_age): choose another folder, or set the same values"
    )
    batch(*mot, "runner.workers=2", "retries=0", "quiet=true")
    Path("det.txt").write_text("1,-1,10,10,20,30,1,-1,-1,-1\n")
    assert "(detector.path (content))" in batch(*mot, check=2).err


def test_an_error_of_the_configuration_ends_the_job(batch):
    ran = batch("detector=onnx", "detector.threshold=3", check=2)
    lines = ran.err.strip().splitlines()
    assert [line for line in lines if "threshold" in line] == [
        "vidan: error: detector.threshold: expected `float` <= 1.0, not 3"
    ]
    assert rows() == dict.fromkeys(NAMES, ("waiting", 0, None))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["run_dir=out"], "missing source.path: set source.path=<pattern>"),
        (["source.path=no/*.mp4", "run_dir=out"], "source.path='no/*.mp4': there is no file"),
        (["source.path=a.mp4"], "missing run_dir"),
        (["source=webcam", "run_dir=out"], "source=webcam: vidan batch reads files"),
        (["source.path=a.mp4", "run_dir=out", "retries=-1"], "retries: expected `int` >= 0"),
        (["source.path=a.mp4", "run_dir=out", "threads=0"], "threads: expected `int` >= 1"),
        (["source.path=a.mp4", "run_dir=out", "runner=lokal"], "did you mean 'local'?"),
        (["source.path=a.mp4", "run_dir=out", "runner.wrkers=1"], "did you mean 'workers'?"),
        (["source.path=a.mp4", "run_dir=out", "runner.workers=0"], "runner.workers: expected"),
        (["source.path=a.mp4", "run_dir=out", "streams={a:{}}"], "streams: vidan batch has one"),
        (
            ["source.path=a.mp4", "run_dir=out", "sink=[parquet]", "sink.parquet.path=x"],
            "sink.parquet.path: vidan batch writes the dataset into run_dir",
        ),
    ],
)
def test_bad_input_is_one_clear_line(overrides, message, here, capsys):
    Path("a.mp4").touch()
    assert main(["batch", *overrides]) in (2, 3)
    error = capsys.readouterr().err
    assert message in error
    assert error.splitlines()[-1].startswith("vidan: error: ")


def test_two_jobs_do_not_use_a_folder_at_the_same_time(batch, clips):
    from vidan.execution.directory import claimed

    with claimed(clips / "out"):
        ran = batch(check=2)
    assert "another run is using it" in ran.err


def test_machines_divide_the_files(batch):
    Path("det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    mot = ["detector=mot", "detector.path=det.txt"]
    shares = []
    for number in range(9):
        batch(*mot, f"shard={number}/9", f"run_dir=out/{number}")
        shares.append(list(rows(Path(f"out/{number}"))))
    assert sorted(name for share in shares for name in share) == NAMES
    assert shares == [[n for n in NAMES if Shard(number, 9).has(n)] for number in range(9)]
    empty = shares.index([])  # a share without files is complete
    assert json.loads(Path(f"out/{empty}/summary.json").read_text())["files"] == 0
    assert "expected i/n" in batch(*mot, "shard=9/9", check=2).err
