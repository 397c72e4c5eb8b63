"""Signals at random moments: the video plays, and the JSON lines are complete.

pytest tests/test_signals.py            4 runs
pytest -m stress tests/test_signals.py  100 runs, some minutes
"""

import json
import random
import re
import signal
import subprocess
import sys
import time

import av
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")

SCENE = [
    "source=synthetic",
    "source.frames=null",
    "source.width=160",
    "source.height=120",
    "source.people=2",
    "tracker=sort",
    "sink=[video,jsonl,mot]",
    "hydra.run.dir=out",
]

CODES = {}  # of exit
if sys.platform != "win32":
    CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGKILL: -9}


def video_plays(path, frames):
    """Check that a video plays; its number of frames, none of them blank."""
    with av.open(str(path)) as container:
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        times = []
        container.seek(0)
        times = [frame.time for frame in container.decode(video=0)]
    assert times == sorted(set(times))
    assert all(np.std(rgb) > 3 for rgb in shown)
    assert len(shown) <= frames
    return len(shown)


def one(folder, rng, detections, number, early=0.15):
    segment = rng.choice(["", "sink.video.segment=1s", "sink.video.segment=3s"])
    command = [sys.executable, "-m", "vidan", *SCENE, "detector=mot", f"detector.path={detections}"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*command, *filter(None, [segment])], cwd=folder, stdout=output, stderr=output
        )
        results = folder / "out/results.jsonl"
        early = rng.random() < early  # while it starts
        deadline = time.monotonic() + 90
        while not early and not (results.exists() and results.stat().st_size):
            assert process.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(rng.random() * 1.5)
        process.send_signal(number)
        code = process.wait(timeout=90)
    text = (folder / "output").read_text()
    assert "Traceback" not in text or early, text
    # Before the handlers are installed, a signal ends the interpreter.
    assert code in ({CODES[number]} | ({-number, 1} if early else set())), text
    return number, results


def check(folder, number, results):
    if not results.exists():
        return
    text = results.read_text()
    assert not text or text.endswith("\n")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["frame"] for line in lines] == list(range(len(lines)))
    tracks = folder / "out/tracks.txt"
    assert tracks.read_text()[-1:] in ("", "\n")
    # The video may have a few frames more than the JSON lines: sinks run in separate threads.
    most = len(lines) + 6
    parts = sorted((folder / "out").glob("*.mp4"))
    shown = 0
    for path in parts:
        if number == signal.SIGKILL and path == parts[-1] and not _has_a_fragment(path):
            continue
        shown += video_plays(path, most)
    if number != signal.SIGKILL:
        assert shown == len(lines)
        assert json.loads((folder / "out/summary.json").read_text())["interrupted"]
    assert not [*(folder / "out").glob("*.part")] or number == signal.SIGKILL


def _has_a_fragment(path):
    return b"moof" in path.read_bytes() or b"mdat" in path.read_bytes()


@pytest.fixture
def detections(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text("".join(f"{n},-1,{n % 90},20,30,60,1,-1,-1,-1\n" for n in range(1, 5000)))
    return path


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_with_a_summary(tmp_path, detections, name):
    (folder := tmp_path / name).mkdir()
    number, results = one(folder, random.Random(1), detections, getattr(signal, name), early=0)
    check(folder, number, results)
    frames = len(results.read_text().splitlines())
    assert json.loads((folder / "out/summary.json").read_text())["frames"] == frames
    assert re.search(rf"frames +{frames} \(", (folder / "output").read_text())


@pytest.mark.parametrize("runs", [4, pytest.param(100, marks=pytest.mark.stress)])
def test_signals_at_random_moments(tmp_path, detections, runs):
    rng = random.Random(runs)
    for run in range(runs):
        folder = tmp_path / f"{run}"
        folder.mkdir()
        number, results = one(folder, rng, detections, rng.choice(list(CODES)))
        check(folder, number, results)
