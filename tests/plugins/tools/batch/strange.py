"""Detectors for tests of `vidan batch`, loaded as a single-file plugin."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from vidan import Detections, hookimpl


@hookimpl
def vidan_components(registry):
    registry.add("detector", "strange", "vidan_local_strange:Strange")


class Strange:
    """One box that moves; writes down each process that loads it, and each file.

    Args:
        log: file to append to.
        kills: name of a stream whose frames kill the process.
        seconds: duration of a detection, s.
    """

    labels = ("person",)

    def __init__(self, log: str, kills: str = "", seconds: float = 0.0):
        self._log, self._kills, self._seconds = Path(log), kills, seconds
        self._write(f"load {os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")

    def detect(self, frames):
        return [self._detect(frame) for frame in frames]

    def _detect(self, frame):
        if frame.index == 0:
            self._write(f"file {os.getpid()} {frame.stream}")
        if frame.stream == self._kills:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self._seconds)
        left = 10.0 * frame.index
        box = np.array([[left, 100, left + 40, 200]], np.float32)
        return Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32))

    def close(self):
        pass

    def _write(self, line):
        with self._log.open("a") as file:
            file.write(f"{line}\n")
