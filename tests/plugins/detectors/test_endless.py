"""Models that never end: the run does, with its files and a summary."""

import json
import signal
import subprocess
import sys
import time

import pytest

from .endless import endless

RUN = ["source.width=160", "source.height=96", "source.frames=null", "sink=[video,jsonl]"]
RUN += ["detector.backend=onnxruntime", "detector.decode=yolo", "run_dir=out"]


def start(folder, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "vidan", *RUN, "detector.model=endless.onnx", *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def test_a_detection_that_does_not_end_is_an_error(tmp_path):
    endless(tmp_path / "endless.onnx", 0.01)  # the trial image is black
    process = start(tmp_path, "pipeline.detection_timeout=1")
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1, errors
    last = errors.splitlines()[-1]
    assert "vidan: error: detector at frame 0: TimeoutError: no result after 1 s" in last
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert "no result after 1 s" in summary["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM on Windows")
@pytest.mark.parametrize("brightness", [-1, 0.01])
def test_two_signals_end_a_run_with_a_model_that_does_not(tmp_path, brightness):
    """It is stuck before the run, with a trial image, or in the run."""
    endless(tmp_path / "endless.onnx", brightness)
    process = start(tmp_path)
    started = time.monotonic()
    while time.monotonic() < started + 60 and not (tmp_path / "out").exists():
        time.sleep(0.05)
    time.sleep(3)
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
    _, errors = process.communicate(timeout=30)
    # The second signal may come when the first one has ended the program all but completely.
    assert process.returncode in ((143,) if brightness > 0 else (143, -15)), errors
    assert (tmp_path / "out/summary.json").exists() == (brightness > 0)
