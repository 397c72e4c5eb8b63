"""Complete runs on synthetic and on real videos."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest

from tests.real import DATA, needs_data
from vidan import run


def vidan(where, *arguments, check=True):
    """Run the command on a machine without a display."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-m", "vidan", *arguments, "hydra.run.dir=out"],
        cwd=where,
        env=environment,
        capture_output=True,
        text=True,
        check=check,
    )


def images(path):
    with av.open(str(path)) as container:
        yield from (frame.to_ndarray(format="rgb24") for frame in container.decode(video=0))


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_the_demo_runs_without_a_display(tmp_path):
    small = ["source.width=640", "source.height=360", "max_frames=12"]
    done = vidan(tmp_path, *small)
    assert "continuing without a window" in done.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".hydra", "results.jsonl", "summary.json", "vidan.log", "video.mp4"]
    assert len(lines(tmp_path / "out/results.jsonl")) == 12
    shown = list(images(tmp_path / "out/video.mp4"))
    assert len(shown) == 12
    assert shown[0].shape == (360, 640, 3)
    assert shown[0].std() > 10


def test_batches_find_what_single_frames_find(here):
    small = ["source.width=640", "source.height=360", "max_frames=12", "sink=[jsonl]"]
    found = {}
    for size in ("null", "4"):
        run([*small, f"pipeline.max_batch={size}", f"run_dir=batch_{size}"])
        found[size] = [line["detections"] for line in lines(here / f"batch_{size}/results.jsonl")]
    assert [*map(len, found["4"])] == [*map(len, found["null"])]
    pairs = zip(chain(*found["4"]), chain(*found["null"]), strict=True)
    for one, other in pairs:
        assert one["label"] == other["label"]
        np.testing.assert_allclose(one["box"], other["box"], atol=1)


def test_an_explicit_window_is_an_error_without_a_display(tmp_path):
    done = vidan(tmp_path, "sink=[window]", "source.frames=3", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("vidan: error: ")
    assert "display" in done.stderr
    assert done.stderr.count("\n") == 1


SLOW_DETECTOR = """
import time
import numpy as np
from vidan import Detections, hookimpl

class Slow:
    labels = ("thing",)
    def __init__(self, seconds: float): self.seconds = seconds
    def close(self): pass
    def detect(self, frames):
        time.sleep(self.seconds)
        box = np.array([[5, 5, 50, 50]], np.float32)
        return [Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32)) for _ in frames]
"""


def test_a_slow_detector_never_shows_old_frames_of_a_1080p_camera(tmp_path, register):
    """Ten times too slow: frames are at most one detection and one frame interval old."""
    from vidan.config.compose import compose
    from vidan.execution.execute import execute

    detecting, period = 10 / 30, 1 / 30
    (tmp_path / "slow_detector.py").write_text(SLOW_DETECTOR)
    sys.path.insert(0, str(tmp_path))
    try:
        register("detector", "slow", "slow_detector:Slow")
        config = compose(
            ["source.live=true", "source.frames=150", "sink=[jsonl]", f"run_dir={tmp_path}/out"]
        )
        config.detector = {"name": "slow", "seconds": detecting}
        summary = execute(config)
    finally:
        sys.path.remove(str(tmp_path))
    assert summary["frames"] + summary["dropped"] + summary["skipped"] == 150
    assert 5 <= summary["frames"] <= 17  # 5 s of a camera at three frames per second at most
    # One detection and one frame interval, doubled for a busy machine. With a queue of frames,
    # the last ages would be seconds.
    assert summary["age_ms"]["jsonl"]["p50"] <= 2e3 * (detecting + period)
    last = lines(tmp_path / "out/results.jsonl")[-1]["frame"]
    assert last >= 150 - 30


@needs_data
def test_a_real_video_with_given_detections(tmp_path):
    """The first 40 frames of MOT16-09 (1920x1080) in three outputs."""
    video = DATA / "video/MOT16-09.mp4"
    detections = DATA / "mot16/MOT16-09/det/det.txt"
    source = ["source=file", f"source.path={video}", "max_frames=40"]
    detector = ["detector=mot", f"detector.path={detections}"]
    vidan(tmp_path, *source, *detector, "tracker=deepsort", "sink=[video,jsonl,mot]")
    check_outputs(tmp_path / "out", 40, (1080, 1920, 3))


@needs_data
@pytest.mark.slow
def test_all_of_mot16_09(tmp_path):
    """All 525 frames in three outputs."""
    video = DATA / "video/MOT16-09.mp4"
    detections = DATA / "mot16/MOT16-09/det/det.txt"
    source = ["source=file", f"source.path={video}"]
    detector = ["detector=mot", f"detector.path={detections}"]
    vidan(tmp_path, *source, *detector, "tracker=deepsort", "sink=[video,jsonl,mot]")
    check_outputs(tmp_path / "out", 525, (1080, 1920, 3))


def check_outputs(out, frames, shape):
    shown = list(images(out / "video.mp4")) if frames < 100 else None
    with av.open(str(out / "video.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.height, stream.codec_context.width) == shape[:2]
        assert sum(1 for packet in container.demux(stream) if packet.size) == frames
        assert float(stream.average_rate) == pytest.approx(30, rel=0.01)
    if shown is not None:
        assert len(shown) == frames
        assert all(rgb.shape == shape and rgb.std() > 20 for rgb in shown)
    records = lines(out / "results.jsonl")
    assert [record["frame"] for record in records] == list(range(frames))
    assert records[-1]["tracks"]
    assert all(track["label"] == "person" for track in records[-1]["tracks"])
    rows = np.loadtxt(out / "tracks.txt", delimiter=",")
    assert rows[:, 0].max() == frames
    assert len(rows) == sum(len(record["tracks"]) for record in records)
