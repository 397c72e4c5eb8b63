"""How old the pictures are that a live sink shows, through RTSP, with a slow detector.

    python -m benchmarks.staleness [--seconds 20] [--detect 0.15] [--rate 25]

A camera (tests/plugins/sources/camera.py; needs Debian's GStreamer RTSP server) draws the time
into each picture; a sink that shows only the newest reads it. Compared with the bound: one
detection and two frames, beyond what camera and network themselves take, which is measured first
by reading without a detector.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

import numpy as np

from tests.plugins.sources.cameras import Camera, age
from vidan.pipeline import Pipeline
from vidan.types import Detections, Frame, Result, Tracks
from vidan_plugins.sources.rtsp import Rtsp


class Slow:
    """A detector that finds nothing and takes its time."""

    labels: tuple[str, ...] = ()

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Nothing, late."""
        time.sleep(self._seconds)
        return [Detections.empty() for _ in frames]

    def close(self) -> None:
        """Nothing to let go of."""


class Nobody:
    """A tracker that follows nothing."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """No tracks."""
        return Tracks.empty()


class Ages:
    """A live sink that notes how old what it shows is, s."""

    lossless = False

    def __init__(self) -> None:
        self.ages: list[float] = []

    def write(self, result: Result) -> None:
        """Note it."""
        self.ages.append(age(result.frame.rgb()))

    def close(self) -> None:
        """Nothing to let go of."""


def measure(camera: Camera, transport: str, detect: float, seconds: float) -> dict[str, float]:
    """Percentiles of the age, ms, over a run of so many seconds."""
    ages = Ages()
    pipeline = Pipeline(
        Rtsp(camera.url, transport=transport), Slow(detect), Nobody(), {"view": ages}
    )
    end = time.monotonic() + seconds
    pipeline.run(lambda _: pipeline.stop() if time.monotonic() > end else None)
    ms = np.array(ages.ages[3:]) * 1e3
    p50, p95 = np.percentile(ms, [50, 95])
    figures = {"frames": len(ms), "p50": p50, "p95": p95, "max": ms.max()}
    return {name: round(float(value), 1) for name, value in figures.items()}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--detect", type=float, default=0.15)
    parser.add_argument("--rate", type=int, default=25)
    arguments = parser.parse_args()
    camera = Camera("--rate", str(arguments.rate))
    try:
        for transport in ("tcp", "udp"):
            alone = measure(camera, transport, 0.0, arguments.seconds)
            slow = measure(camera, transport, arguments.detect, arguments.seconds)
            more = arguments.detect * 1e3 + 2e3 / arguments.rate
            bound = {name: round(alone[name] + more, 1) for name in ("p50", "p95", "max")}
            print(
                json.dumps(
                    {
                        "transport": transport,
                        "without_detection_ms": alone,
                        "with_detection_ms": slow,
                        "bound_ms": bound,
                    }
                ),
                flush=True,
            )
    finally:
        camera.kill()


if __name__ == "__main__":
    main()
