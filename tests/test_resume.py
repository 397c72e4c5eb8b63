"""`vidan resume`: however a file job ended, its outputs equal those of an uninterrupted one."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime

import av
import pytest

from tests.clips import numbered_image, write_clip
from vidan.cli import main as cli
from vidan.execution.replay import FILE
from vidan.journal import FILE as JOB_FILE

FRAMES = 150

DETECTOR = """
import os, time
import numpy as np
from vidan import Detections, hookimpl

class Walkers:
    '''Three boxes that move with noise, some missing; records the index of each frame.'''
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
    """Arguments of a file job, relative to its folder, where it records the detected frames."""
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


@pytest.fixture
def dated(job):
    """The same job with files named by the clock: one second of video each, snapshots and clips."""
    return [
        *job[:-1],
        "sink=[video,jsonl,mot,snapshots,clips]",
        "sink.video.segment=1s",
        "analytics.presence.confirm_after=2",
        "sink.snapshots.cooldown=0.0",
        "sink.clips.events=[object.confirmed,object.left]",
        "sink.clips.before=0.5",
        "sink.clips.after=0.5",
        "sink.clips.max_delay=1.5",
        "sink.clips.max_length=2",
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
    """Kill a process after detections in `frames` more frames."""
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
def test_a_job_killed_at_random_and_resumed_has_the_same_outputs(tmp_path, job, seed):
    """Killed twice, the second time while resuming, and ended by Ctrl-C or SIGTERM once."""
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
    # Only frames in the detector when the process ended are detected again: two frames in two
    # workers, three times.
    assert len(asked) <= FRAMES + 3 * 2


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_a_resumed_job_detects_the_same_frames_by_motion(tmp_path, job):
    notes = tmp_path / "notes.txt"
    images = [numbered_image(0) for _ in range(FRAMES)]
    for n in range(60, 90):
        images[n][28:44, 2 * (n - 60) : 2 * (n - 60) + 8] = 255
    write_clip(tmp_path / "clip.mp4", images)
    job = [*job, "detector.when=motion", "detector.motion.still_interval=1.5"]
    end(start(tmp_path, *job, "hydra.run.dir=whole"))
    selected = {int(line) for line in lines(notes)}
    assert {0, *range(60, 90)} < selected
    assert len(selected) < FRAMES - 20
    notes.unlink()
    kill_after(start(tmp_path, *job, "detector.seconds=0.01", "hydra.run.dir=cut"), notes, 50)
    end(start(tmp_path, "resume", "cut"))
    same_outputs(tmp_path / "whole", tmp_path / "cut")
    asked = [int(line) for line in lines(notes)]
    assert set(asked) == selected
    assert len(asked) <= len(selected) + 2


def began(directory):
    """When an unfinished job began, s since 1970."""
    return json.loads((directory / JOB_FILE).read_text().splitlines()[0])["began"]


def snapshots(directory):
    """Time, and label with id, of each snapshot."""
    names = [path.stem for path in (directory / "snapshots").iterdir()]
    matches = [re.fullmatch(r"(.{10}_\d\d-\d\d-\d\d)-(.*)", name) for name in names]
    return sorted((seconds(match[1]), match[2]) for match in matches)


def clips(directory):
    """Name, timestamps and sidecar of each clip."""
    files = sorted((directory / "clips").glob("*.mp4"))
    assert {path.stem for path in files} == {path.stem for path in (directory / "clips").iterdir()}
    return [(path.name, stamps(path), path.with_suffix(".json").read_text()) for path in files]


def seconds(name):
    return datetime.strptime(name, "%Y-%m-%d_%H-%M-%S").timestamp()


def segments(directory):
    """When each video file begins by the clock, and the times of its frames, s."""
    files = sorted(directory.glob("video-*.mp4"))
    return [(seconds(file.stem.removeprefix("video-")), stamps(file)) for file in files]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(n, marks=pytest.mark.stress) for n in range(1, 6))]
)
def test_files_named_by_the_clock_equal_those_of_an_uninterrupted_job(tmp_path, dated, seed):
    """Killed twice, in a later video file, and resumed in a later second."""
    rng = random.Random(seed)
    notes = tmp_path / "notes.txt"
    slow = "detector.seconds=0.01"
    kill_after(start(tmp_path, *dated, slow, "hydra.run.dir=cut"), notes, rng.randrange(60, 100))
    cut = tmp_path / "cut"
    first = began(cut)
    left = {path.name for path in cut.glob("video-*.mp4")}
    assert len(left) >= 2  # a finished one and an unfinished one
    others = [cut / "video-2020-01-01_00-00-00.mp4", cut / "snapshots/2020-01-01_00-00-00-a-1.jpg"]
    for other in others:
        other.write_text("of another run")
    kill_after(start(tmp_path, "resume", "cut"), notes, rng.randrange(1, 30))
    assert began(cut) == first
    end(start(tmp_path, "resume", "cut"))
    for other in others:
        assert other.read_text() == "of another run"
        other.unlink()
    assert not (cut / JOB_FILE).exists()
    assert left <= {path.name for path in cut.glob("video-*.mp4")}

    # The same job, with the same start time, not interrupted.
    whole = tmp_path / "whole"
    shutil.copytree(cut / ".hydra", whole / ".hydra")
    (whole / FILE).touch()
    (whole / JOB_FILE).write_text(json.dumps({"began": first}))
    end(start(tmp_path, "resume", "whole"))
    assert segments(cut) == segments(whole)
    assert sum(len(times) for _, times in segments(cut)) == FRAMES
    assert snapshots(cut) == snapshots(whole)
    assert snapshots(cut)
    assert clips(cut) == clips(whole)
    assert clips(cut)
    for name in ("results.jsonl", "tracks.txt"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


@pytest.fixture
def run(here, capfd):
    """Runs the command here, and returns its exit code and error lines."""

    def call(*arguments):
        code = cli.main([*arguments])
        return code, [line for line in capfd.readouterr().err.splitlines() if "error" in line]

    return call


@pytest.fixture
def interrupted(here, job):
    """The folder of a run that was killed."""
    (here / "notes.txt").touch()
    slow = "detector.seconds=0.01"
    kill_after(start(here, *job, slow, "hydra.run.dir=cut"), here / "notes.txt", 10)
    return here / "cut"


def test_not_a_run_and_a_complete_run(here, job, run):
    code, (line,) = run("resume", "nowhere")
    assert code == 2
    assert "nowhere' is not the directory of a run" in line
    assert not (here / "nowhere").exists()
    end(start(here, *job, "hydra.run.dir=done", "max_frames=5"))
    code, (line,) = run("resume", "done")
    assert (code, "done' is complete" in line) == (2, True)
    (here / "done/summary.json").unlink()
    code, (line,) = run("resume", "done")
    assert (code, f"contains no {FILE}" in line) == (2, True)
    (here / "done/.hydra/config.yaml").write_text("- a list\n")
    code, (line,) = run("resume", "done")
    assert (code, "config.yaml' is damaged" in line) == (2, True)


def test_a_replaced_video_is_detected(interrupted, run):
    write_clip(interrupted.parent / "clip.mp4", FRAMES, size=(64, 64))
    code, (line,) = run("resume", "cut")
    assert code == 1
    assert "source.path is not the file that the interrupted run read" in line
    (interrupted / JOB_FILE).write_text(json.dumps({"began": 1.0}))
    code, (line,) = run("resume", "cut")  # without its identity, its frames reveal it
    assert code == 1
    # Of the first two frames, which are detected at the same time, either may be the first.
    assert re.search(r"the source has changed: frame [01] was 64x48 px at .* s, now 64x64 px", line)


@pytest.mark.parametrize("keep_time", [True, False])
def test_a_video_replaced_by_another_of_the_same_size_and_rate_is_detected(
    interrupted, run, keep_time
):
    clip = interrupted.parent / "clip.mp4"
    data, times = bytearray(clip.read_bytes()), (clip.stat().st_atime_ns, clip.stat().st_mtime_ns)
    data[len(data) // 2] ^= 1  # the same frames in size and time
    clip.write_bytes(data)
    if keep_time:
        os.utime(clip, ns=times)
    code, (line,) = run("resume", "cut")
    assert code == 1
    what = "other content" if keep_time else "other time of change and content"
    assert f"source.path is not the file that the interrupted run read ({what})" in line
    data[len(data) // 2] ^= 1
    clip.write_bytes(data)
    os.utime(clip, ns=times)
    assert run("resume", "cut") == (0, [])


def test_a_new_run_in_the_same_directory_starts_over(interrupted, job):
    here = interrupted.parent
    (here / "notes.txt").unlink()
    end(start(here, *job, "hydra.run.dir=cut"))
    assert sorted(map(int, lines(here / "notes.txt"))) == list(range(FRAMES))


def test_nothing_is_kept_with_resumable_false(here, job):
    (here / "notes.txt").touch()
    process = start(here, *job, "hydra.run.dir=cut", "resumable=false", "detector.seconds=0.01")
    kill_after(process, here / "notes.txt", 10)
    assert not (here / "cut" / FILE).exists()


def test_files_of_an_unfinished_run(interrupted):
    assert not (interrupted / "summary.json").exists()
    whole = (interrupted / "results.jsonl").read_text()
    assert whole.endswith("\n")
    assert [json.loads(line)["frame"] for line in whole.splitlines()] == [*range(whole.count("\n"))]
    assert (interrupted / FILE).stat().st_size > 10 * 36
