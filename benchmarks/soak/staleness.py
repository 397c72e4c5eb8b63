"""The age of the frames that a live sink shows, with an RTSP camera and a slow detector.

    python -m benchmarks.soak.staleness [--seconds 20] [--detect 0.15] [--rate 25]

A camera (tests/plugins/sources/camera.py; needs Debian's GStreamer RTSP server) draws the time
into each image, and a sink that shows only the newest frame reads it. The age is split by cause:

- camera: drawing, encoding, sending, the network, waking up our thread. Outside vidan.
- parser: one frame interval. FFmpeg knows that an H.264 frame is complete when the next one begins.
- decoder: from then until the source yields the frame.
- wait: until the detector takes the frame.
- detector: its own time.
- rest: tracker, sink, conversion to RGB.

The bound, frame by frame, is the camera's part, one detection and two frame intervals: one for
the parser, one for the longest wait. `beyond_ms` is the age minus this bound; values up to 0 are
within it. On a busy machine threads wake up late, so measure on an idle one.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tests.plugins.sources.cameras import Camera, age
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream
from vidan.support.program import positive, run_program
from vidan.types import Detections, Frame, Result, Tracks
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp

WARMUP_FRAMES = 3
"""First frames of a run, which are left out."""


class Times(NamedTuple):
    """When each frame left the source, and entered and left the detector.

    All are times of `time.monotonic()` in s, by frame index.
    """

    yielded: dict[int, float]
    started: dict[int, float]
    detected: dict[int, float]


class RecordingSource:
    """Records when the camera yields each frame."""

    live = True
    frames: int | None = None

    def __init__(self, source: Rtsp, yielded: dict[int, float]) -> None:
        self._source = source
        self._yielded = yielded
        self.stop = source.stop
        self.close = source.close

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            self._yielded[frame.index] = time.monotonic()
            yield frame


class SlowDetector:
    """Detects nothing, slowly."""

    labels: tuple[str, ...] = ()

    def __init__(self, seconds: float, times: Times) -> None:
        self._seconds = seconds
        self._times = times

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """No detections, after a delay."""
        for frame in frames:
            self._times.started[frame.index] = time.monotonic()
        time.sleep(self._seconds)
        for frame in frames:
            self._times.detected[frame.index] = time.monotonic()
        return [Detections.empty() for _ in frames]

    def close(self) -> None:
        """Nothing to close."""


class NoTracks:
    """A tracker without tracks."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """No tracks."""
        return Tracks.empty()


class RecordingSink:
    """A live sink that records the age of each frame, and its parts, s."""

    lossless = False

    def __init__(self, times: Times, frame_interval: float) -> None:
        self._times = times
        self._frame_interval = frame_interval
        self.rows: list[dict[str, float]] = []

    def write(self, result: Result) -> None:
        """Record the age of a result."""
        frame = result.frame
        rgb = frame.rgb()
        shown = time.monotonic()
        how_old = age(rgb, shown)
        yielded, started, detected = (times[frame.index] for times in self._times)
        self.rows.append(
            {
                "age": how_old,
                "camera": frame.captured - (shown - how_old) - self._frame_interval,
                "parser": self._frame_interval,
                "decoder": yielded - frame.captured,
                "wait": started - yielded,
                "detector": detected - started,
                "rest": shown - detected,
            }
        )

    def close(self) -> None:
        """Nothing to close."""


def measure(
    camera: Camera, transport: str, detect: float, seconds: float, frame_interval: float
) -> dict[str, object]:
    """Percentiles of the age and its parts, ms, over a run of some seconds."""
    times = Times({}, {}, {})
    sink = RecordingSink(times, frame_interval)
    source = RecordingSource(Rtsp(camera.url, transport=transport), times.yielded)
    stream = Stream(source, NoTracks(), {"view": sink})
    pipeline = Pipeline(stream, SlowDetector(detect, times))
    end = time.monotonic() + seconds
    pipeline.run(lambda _: pipeline.stop() if time.monotonic() > end else None)
    rows = sink.rows[WARMUP_FRAMES:-1]  # the last frame had no newer one to replace it
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    bound = columns["camera"] + columns["detector"] + 2 * frame_interval
    beyond = columns["age"] - bound
    return {
        "frames": len(rows),
        "age_ms": percentiles(columns.pop("age")),
        "bound_ms": percentiles(bound),
        "beyond_ms": percentiles(beyond),
        "within": round(float(np.mean(beyond <= 0)), 3),
        "parts_ms": {name: percentiles(values) for name, values in columns.items()},
    }


def percentiles(seconds: Iterable[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum, ms."""
    ms = np.array(seconds) * 1e3
    p50, p95 = np.percentile(ms, [50, 95])
    return {n: round(float(v), 1) for n, v in {"p50": p50, "p95": p95, "max": ms.max()}.items()}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--detect", type=float, default=0.15)
    parser.add_argument("--rate", type=positive, default=25)
    arguments = parser.parse_args()
    camera = Camera("--rate", str(arguments.rate))
    frame_interval = 1 / arguments.rate
    try:
        for transport in ("tcp", "udp"):
            figures = measure(
                camera, transport, arguments.detect, arguments.seconds, frame_interval
            )
            print(
                json.dumps(
                    {"transport": transport, "frame_interval_ms": frame_interval * 1e3} | figures
                ),
                flush=True,
            )
    finally:
        camera.kill()


if __name__ == "__main__":
    run_program("python -m benchmarks.soak.staleness", main)
