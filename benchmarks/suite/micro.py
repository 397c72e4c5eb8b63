"""Microbenchmarks of single functions, us per call: `python -m benchmarks.suite.micro`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import av
import numpy as np

from vidan.boxes import iou, nms
from vidan.cli.terminal import console
from vidan.config.compose import compose
from vidan.frames import ArrayFrame
from vidan.modelspec import ModelSpec
from vidan.runtime.channel import Channel
from vidan.support.program import run_program
from vidan.types import Detections, Frame, Result, Tracks
from vidan_plugins.detectors.native.model import letterbox_batch
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.video.yuv_frame import YuvFrame
from vidan_plugins.sources.frames import VideoFrame
from vidan_plugins.sources.synthetic.scene.appearance import Appearance
from vidan_plugins.sources.synthetic.scene.paths import NEAR_M
from vidan_plugins.sources.synthetic.scene.person import Person
from vidan_plugins.sources.synthetic.scene.scene import FOCAL_FRACTION, HORIZON_FRACTION
from vidan_plugins.sources.synthetic.scene.street import draw_street
from vidan_plugins.sources.synthetic.scene.view import View
from vidan_plugins.tools.bench.results import Cell
from vidan_plugins.trackers.core.assignment import assign
from vidan_plugins.trackers.core.kalman import BatchedKalman, FilterpyKalman, Kalman
from vidan_plugins.trackers.core.motion import sort_model

from ..inputs import parser
from ..report import Table, result, save, show, spread

WIDTH, HEIGHT = 1920, 1080
REPEATS = 7
MIN_REPEAT_S = 0.05
"""Shortest duration of a repeat."""

CHANNEL_ITEMS = 2000
"""Items sent from one thread to another in one call."""


class Part(NamedTuple):
    """A function to measure.

    Attributes:
        name: row of the table.
        call: the function.
        times: operations in one call.
    """

    name: str
    call: Callable[[], object]
    times: int = 1


def boxes(count: int, seed: int = 0) -> Any:
    """Random boxes (N, 4) float32 xyxy with sides of 40 to 200 px in a 1080p image."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform((0, 0), (WIDTH - 200, HEIGHT - 200), (count, 2))
    return np.hstack([corners, corners + rng.uniform(40, 200, (count, 2))]).astype(np.float32)


def frames() -> tuple[Frame, Frame]:
    """A 1080p noise image as an array frame and as a decoded YUV frame."""
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    fields: Any = {"index": 0, "time": 0.0, "captured": 0.0, "stream": "micro"}
    yuv = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    return ArrayFrame(rgb, **fields), VideoFrame(yuv, **fields)


def parts() -> Iterator[Part]:
    """All functions to measure."""
    rng = np.random.default_rng(1)
    for n in (20, 200):
        yield Part(f"IoU, {n} x {n} boxes", partial(iou, boxes(n), boxes(n, 1)))
    for n in (100, 1000):
        scores = rng.random(n)
        yield Part(f"NMS, {n} boxes", partial(nms, boxes(n), scores, 0.5))
    array, video = frames()
    spec = ModelSpec(labels=("thing",), input_size=(512, 512))
    yield Part("letterbox 1080p to 512, from RGB", lambda: letterbox_batch([array], spec))
    yield Part("letterbox 1080p to 512, from YUV", lambda: letterbox_batch([video], spec))
    for n in (20, 200):
        yield Part(f"Kalman predict and update, {n} tracks", kalman(BatchedKalman(sort_model()), n))
    yield Part(
        "the same with filterpy, 20 tracks one by one", kalman(FilterpyKalman(sort_model()), 20)
    )
    for n in (20, 200):
        cost = rng.random((n, n))
        yield Part(f"assignment, {n} x {n}", partial(assign, cost, 0.7))
    painter, found = Painter(), tracked(video, 20)
    yield Part("draw 20 tracks on RGB, with its copy", lambda: painter.annotate(found))
    yuv = YuvFrame(video)
    yield Part("draw 20 tracks on YUV", lambda: painter.draw_on(yuv.planes, found))
    yield Part("channel, thread to thread", send_through_channel, CHANNEL_ITEMS)
    yield Part("compose the configuration", compose)
    appearance = Appearance.random(0, 0)
    view = View(WIDTH, HEIGHT, FOCAL_FRACTION * HEIGHT, HORIZON_FRACTION * HEIGHT)
    yield Part("draw the street of the demo", lambda: draw_street(view, 0))
    yield Part("draw a person of the demo", lambda: Person(appearance, view.scale(NEAR_M)))


def kalman(filters: Kalman, count: int) -> Callable[[], object]:
    """Predict and update all tracks once."""
    measured = filters.model.measure(boxes(count).astype(float))
    filters.start(measured)
    rows = np.arange(count)

    def step() -> None:
        filters.predict(1)
        filters.update(rows, measured)

    return step


def tracked(frame: Frame, count: int) -> Result:
    """A result with `count` tracks."""
    where = boxes(count)
    scores, classes = np.full(count, 0.9, np.float32), np.zeros(count, np.int32)
    rows = np.arange(count, dtype=np.int32)
    tracks = Tracks(rows.astype(np.int64), where, scores, classes, classes, rows)
    return Result(frame, Detections(where, scores, classes), tracks, ("with_mask",))


def send_through_channel() -> None:
    """Send items through a channel of size two to another thread."""
    channel: Channel[int] = Channel(2)

    def send() -> None:
        for item in range(CHANNEL_ITEMS):
            channel.put(item)
        channel.close()

    thread = threading.Thread(target=send)
    thread.start()
    for _ in channel:
        pass
    thread.join()


def measure(
    part: Part, repeats: int = REPEATS, min_repeat_s: float = MIN_REPEAT_S
) -> dict[str, Any]:
    """Time of one operation, us, as a spread over the repeats."""
    part.call()
    started = time.perf_counter()
    part.call()
    calls = max(1, round(min_repeat_s / max(time.perf_counter() - started, 1e-7)))
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(calls):
            part.call()
        times.append(1e6 * (time.perf_counter() - started) / calls / part.times)
    return spread(times)  # type: ignore[no-any-return]


def micro(repeats: int = REPEATS, min_repeat_s: float = MIN_REPEAT_S) -> dict[str, Any]:
    """Measure all parts, as a result."""
    found = {part.name: measure(part, repeats, min_repeat_s) for part in parts()}
    rows: list[list[Cell]] = [
        [n, one["low"], one["median"], one["high"]] for n, one in found.items()
    ]
    note = f"{repeats} repeats of at least {1e3 * min_repeat_s:.0f} ms each, in one process."
    table = Table("Single functions, us per call", ["", "min", "median", "max"], rows, note)
    made: dict[str, Any] = result(
        "micro", "Single functions", "python -m benchmarks.suite.micro", [table], figures=found
    )
    return made


def main() -> int:
    """Run from the command line."""
    args = parser("benchmarks.suite.micro", str(__doc__)).parse_args()
    found = micro()
    show(found, console())
    save(found, args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.micro", main)
