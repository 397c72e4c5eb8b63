"""Signals after a model is closed: no native state of one thread is gone in another."""

import json
import signal
import subprocess
import sys
import time

import pytest

from .test_openvino import needs_openvino

SLOW = '''
import time
from vidan import hookimpl

class Slow:
    """Still writes when the detector is closed."""
    lossless = True
    def __init__(self, path: str):
        self.path = path
    def write(self, result): pass
    def close(self):
        time.sleep(0.5)  # the detector is closed by then
        open(self.path, "w").close()
        time.sleep(1.5)

@hookimpl
def vidan_components(registry):
    registry.add("sink", "slow", __name__ + ":Slow")
'''

AFTER = """
import signal, sys, vidan
vidan.run(sys.argv[1:])
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("alive")
"""

RUN = ["source.width=160", "source.height=96", "max_frames=5", "detector.model=facemask_lite0"]

backends = pytest.mark.parametrize(
    "backend", ["onnxruntime", pytest.param("openvino", marks=needs_openvino)]
)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM on Windows")


@backends
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_after_the_detector_closed_ends_in_a_summary(tmp_path, backend, name, code):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/slow.py").write_text(SLOW)
    arguments = [*RUN, f"detector.backend={backend}", "plugins_dir=mine", "sink=[slow,video]"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidan", *arguments, "sink.slow.path=closing", "run_dir=out"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "closing").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors.decode()
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["interrupted"], summary["frames"]) == (True, 5)


@backends
def test_ctrl_c_after_a_run_is_a_keyboard_interrupt(tmp_path, backend):
    arguments = [*RUN, f"detector.backend={backend}", "sink=discard", "run_dir=out"]
    done = subprocess.run(
        [sys.executable, "-c", AFTER, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
