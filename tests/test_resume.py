"""`vidan resume`: whatever ended a file job, its outputs are those of one that was left alone."""

import json
import random
import signal
import subprocess
import sys
import time

import av
import pytest

from tests.clips import write_clip
from vidan import cli
from vidan.remember import FILE

FRAMES = 150

DETECTOR = """
import os, time
import numpy as np
from vidan import Detections, hookimpl

class Walkers:
    '''Three boxes that walk and tremble, some missing; notes each frame it is asked for.'''
    labels = ("thing", "other")
    def __init__(self, notes: str, seconds: float = 0.0):
        self.notes, self.seconds = notes, seconds
    def close(self): pass
    def detect(self, frames):
        time.sleep(self.seconds)
        return [self.find(frame) for frame in frames]
    def find(self, frame):
        with open(self.notes, "a") as file:
            file.write(f"{frame.index}\\n")
        rng = np.random.default_rng(frame.index)
        left = np.array([2, 20, 40]) + np.array([0.11, -0.07, 0.05]) * frame.index
        boxes = np.stack([left, left * 0 + 5, left + 12, left * 0 + 30], axis=1)
        boxes = (boxes + rng.normal(0, 0.4, (3, 4)))[rng.random(3) < 0.9].astype(np.float32)
        scores = rng.uniform(0.4, 1, len(boxes)).astype(np.float32)
        return Detections(boxes, scores, (np.arange(len(boxes)) % 2).astype(np.int32))

@hookimpl
def vidan_components(registry):
    registry.add("detector", "walkers", f"{__name__}:Walkers")
"""


@pytest.fixture
def job(tmp_path):
    """Arguments of a file job; relative to its folder, where it notes what it detects."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/walkers.py").write_text(DETECTOR)
    times = [round(n * 40 + (n % 3) * 7.0) for n in range(FRAMES)]  # ms, a variable rate
    write_clip(tmp_path / "clip.mp4", FRAMES, times=times)
    return [
        "source=file",
        "source.path=clip.mp4",
        "plugins_dir=plugins",
        "detector=walkers",
        "detector.notes=notes.txt",
        "sink=[video,jsonl,mot]",
    ]


def start(where, *arguments):
    command = [sys.executable, "-m", "vidan", *arguments]
    return subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def end(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output.decode()


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def kill_after(process, notes, frames, how=signal.SIGKILL):
    """Kill it when it has detected in so many frames more than it has now."""
    before = len(lines(notes))
    deadline = time.monotonic() + 120
    while len(lines(notes)) < before + frames and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(how)
    process.communicate(timeout=120)


def stamps(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def same_outputs(there, here):
    for name in ("results.jsonl", "tracks.txt"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    shown = stamps(here / "video.mp4")
    assert len(shown) == FRAMES
    assert shown == stamps(there / "video.mp4")
    assert not (here / FILE).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.stress) for n in range(2, 12))]
)
def test_killed_at_random_and_resumed_it_is_as_if_nothing_had_been(tmp_path, job, seed):
    """Killed twice, the second time in mid-resume, and ended by Ctrl-C or SIGTERM once."""
    rng = random.Random(seed)
    notes = tmp_path / "notes.txt"
    end(start(tmp_path, *job, "hydra.run.dir=whole"))
    notes.unlink()
    slow = "detector.seconds=0.01"
    kill_after(start(tmp_path, *job, slow, "hydra.run.dir=cut"), notes, rng.randrange(1, 60))
    kill_after(start(tmp_path, "resume", "cut"), notes, rng.randrange(1, 30))
    how = rng.choice([signal.SIGINT, signal.SIGTERM])
    kill_after(start(tmp_path, "resume", "cut"), notes, rng.randrange(1, 30), how)
    end(start(tmp_path, "resume", str(tmp_path / "cut")))
    same_outputs(tmp_path / "whole", tmp_path / "cut")
    asked = [int(line) for line in lines(notes)]
    assert set(asked) == set(range(FRAMES))
    # Only what was under way when it was killed is detected a second time: two frames by two
    # workers, three times
    assert len(asked) <= FRAMES + 3 * 2


def run(capsys, *arguments):
    code = cli.main(list(arguments))
    return code, [line for line in capsys.readouterr().err.splitlines() if "error" in line]


@pytest.fixture
def interrupted(here, job):
    """The folder of a run that was killed."""
    (here / "notes.txt").touch()
    slow = "detector.seconds=0.01"
    kill_after(start(here, *job, slow, "hydra.run.dir=cut"), here / "notes.txt", 10)
    return here / "cut"


def test_what_is_no_run_and_what_is_complete(here, job, capsys):
    code, (line,) = run(capsys, "resume", "nowhere")
    assert code == 2
    assert "nowhere' is no directory of a run of `vidan`" in line
    assert not (here / "nowhere").exists()
    end(start(here, *job, "hydra.run.dir=done", "max_frames=5"))
    code, (line,) = run(capsys, "resume", "done")
    assert (code, "done' is complete" in line) == (2, True)
    (here / "done/summary.json").unlink()
    code, (line,) = run(capsys, "resume", "done")
    assert (code, f"holds no {FILE}" in line) == (2, True)
    (here / "done/.hydra/config.yaml").write_text("- a list\n")
    code, (line,) = run(capsys, "resume", "done")
    assert (code, "config.yaml' is damaged" in line) == (2, True)


def test_another_video_in_its_place_is_noticed(interrupted, capsys):
    write_clip(interrupted.parent / "clip.mp4", FRAMES, size=(64, 64))
    code, (line,) = run(capsys, "resume", "cut")
    assert code == 1
    assert "the source has changed since: frame 0 was 64x48 px at 0.000 s, now 64x64 px" in line


def test_a_new_run_in_the_same_directory_forgets(interrupted, job):
    here = interrupted.parent
    (here / "notes.txt").unlink()
    end(start(here, *job, "hydra.run.dir=cut"))
    assert sorted(map(int, lines(here / "notes.txt"))) == list(range(FRAMES))


def test_without_a_wish_to_resume_nothing_is_kept(here, job):
    (here / "notes.txt").touch()
    process = start(here, *job, "hydra.run.dir=cut", "resumable=false", "detector.seconds=0.01")
    kill_after(process, here / "notes.txt", 10)
    assert not (here / "cut" / FILE).exists()


def test_a_run_that_did_not_end_says_so(interrupted):
    assert not (interrupted / "summary.json").exists()
    whole = (interrupted / "results.jsonl").read_text()
    assert whole.endswith("\n")
    assert [json.loads(line)["frame"] for line in whole.splitlines()] == [*range(whole.count("\n"))]
    assert (interrupted / FILE).stat().st_size > 10 * 36
