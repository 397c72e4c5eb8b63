"""How old the images are that a live sink shows, through RTSP, with a slow detector.

    python -m benchmarks.soak.staleness [--seconds 20] [--detect 0.15] [--rate 25]

A camera (tests/plugins/sources/camera.py; needs Debian's GStreamer RTSP server) draws the
time into each image; a sink that shows only the newest reads it. The age of each image is told
apart by where it came about:

- camera: drawing, encoding, sending; the network; waking up our thread. Not vidan's.
- parser: one frame. That an image of H.264 is complete FFmpeg knows by the one behind it.
- decoder: from then until the source gives the frame out.
- wait: until the detector is free for it, or a newer one, or one that is due, takes its place.
- detector: its own time.
- rest: tracker, sink, conversion to RGB.

The bound is one detection and two frames beyond what is the camera's, image by image: one of
the two frames is the parser's, the other is the longest wait. `beyond_ms` says by how much images
are older than that; what is not above 0 holds the bound. As much as the machine is loaded, as much
threads wait to be woken up: measure on an idle one.
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
from vidan.types import Detections, Frame, Result, Tracks
from vidan_plugins.sources.ffmpeg.rtsp import Rtsp

FIRST = 3
"""Images that are left out: a run's first ones find nothing loaded."""


class Times(NamedTuple):
    """When what became of the images, s of `time.monotonic()`, by the frame's index."""

    given: dict[int, float]
    begun: dict[int, float]
    found: dict[int, float]


class Noted:
    """A camera of which it is noted when each frame is given out."""

    live = True
    frames: int | None = None

    def __init__(self, source: Rtsp, given: dict[int, float]) -> None:
        self._source = source
        self._given = given
        self.stop = source.stop
        self.close = source.close

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            self._given[frame.index] = time.monotonic()
            yield frame


class Slow:
    """A detector that finds nothing and takes its time."""

    labels: tuple[str, ...] = ()

    def __init__(self, seconds: float, times: Times) -> None:
        self._seconds = seconds
        self._times = times

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Nothing, late."""
        for frame in frames:
            self._times.begun[frame.index] = time.monotonic()
        time.sleep(self._seconds)
        for frame in frames:
            self._times.found[frame.index] = time.monotonic()
        return [Detections.empty() for _ in frames]

    def close(self) -> None:
        """Nothing to let go of."""


class Nobody:
    """A tracker that follows nothing."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        """No tracks."""
        return Tracks.empty()


class Ages:
    """A live sink that notes how old what it shows is, and where it became so, s."""

    lossless = False

    def __init__(self, times: Times, step: float) -> None:
        self._times = times
        self._step = step
        self.rows: list[dict[str, float]] = []

    def write(self, result: Result) -> None:
        """Note it."""
        frame = result.frame
        rgb = frame.rgb()
        shown = time.monotonic()
        old = age(rgb, shown)
        given, begun, found = (times[frame.index] for times in self._times)
        self.rows.append(
            {
                "age": old,
                "camera": frame.captured - (shown - old) - self._step,
                "parser": self._step,
                "decoder": given - frame.captured,
                "wait": begun - given,
                "detector": found - begun,
                "rest": shown - found,
            }
        )

    def close(self) -> None:
        """Nothing to let go of."""


def measure(
    camera: Camera, transport: str, detect: float, seconds: float, step: float
) -> dict[str, object]:
    """Percentiles of the age and of its parts, ms, over a run of so many seconds."""
    times = Times({}, {}, {})
    ages = Ages(times, step)
    source = Noted(Rtsp(camera.url, transport=transport), times.given)
    pipeline = Pipeline(source, Slow(detect, times), Nobody(), {"view": ages})
    end = time.monotonic() + seconds
    pipeline.run(lambda _: pipeline.stop() if time.monotonic() > end else None)
    rows = ages.rows[FIRST:-1]  # the last is what a stop left, which no newer one replaces
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    bound = columns["camera"] + columns["detector"] + 2 * step
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
    """What half, most and all are not above, ms."""
    ms = np.array(seconds) * 1e3
    p50, p95 = np.percentile(ms, [50, 95])
    return {n: round(float(v), 1) for n, v in {"p50": p50, "p95": p95, "max": ms.max()}.items()}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--detect", type=float, default=0.15)
    parser.add_argument("--rate", type=int, default=25)
    arguments = parser.parse_args()
    camera = Camera("--rate", str(arguments.rate))
    step = 1 / arguments.rate
    try:
        for transport in ("tcp", "udp"):
            figures = measure(camera, transport, arguments.detect, arguments.seconds, step)
            print(json.dumps({"transport": transport, "step_ms": step * 1e3} | figures), flush=True)
    finally:
        camera.kill()


if __name__ == "__main__":
    main()
