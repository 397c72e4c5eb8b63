"""Does the latency of a live view, or its memory, grow over a long run?

A 1080p camera at 30 frames/s (the suite's video in a loop, paced by its timestamps), a detector
that is slower than the camera (`--model`, on one thread), and a sink that draws each result and
shows only the newest. Records the age of what is shown, and the memory of the process, in
intervals of a minute. Both must stay constant.

    python -m benchmarks.soak.latency_drift --minutes 30

A slower model, and as many frames as the detector can process:

    python -m benchmarks.soak.latency_drift --minutes 5 --model facemask_d0 --name latency_drift_d0
    python -m benchmarks.soak.latency_drift --minutes 5 --age-limit none \
        --name latency_drift_all_frames
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vidan.cli.terminal import console, setup_logging
from vidan.config.build import build
from vidan.errors import VidanError
from vidan.interfaces import Sink
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import AGE_LIMIT, Stream
from vidan.stats import Stats
from vidan.support.program import run_program
from vidan.types import Result
from vidan_plugins.tools.bench import plot

from ..inputs import parser, video
from ..report import Table, result, save, show

PERCENTILES = (50, 95, 100)
MAX_ROWS = 12
"""Intervals shown in the table, about; the JSON has all of them."""

NAME, MODEL = "latency_drift", "facemask_lite0"
"""Defaults: the name of the result, and a float32 model that is slower than the camera."""

MAX_AGE_RATIO = 1.25
"""Target: p95 of the age, divided by the time to detect and draw one frame."""


class Shown(NamedTuple):
    """A frame that was shown.

    Attributes:
        at: when, s since the start.
        age: since it was captured, s.
        memory: of the process, MB.
    """

    at: float
    age: float
    memory: float


class RecordingSink:
    """Draws as a window would, and records the age of each frame that it shows."""

    lossless = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._started = time.monotonic()
        self.shown: list[Shown] = []

    def write(self, result: Result) -> None:
        """Draw a result and record its age."""
        self._sink.write(result)
        now = time.monotonic()
        self.shown.append(Shown(now - self._started, now - result.frame.captured, memory()))

    def close(self) -> None:
        """Close the drawing sink."""
        self._sink.close()


def memory() -> float:
    """Resident memory of this process, MB; 0 on systems other than Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def run(
    path: Path, network: str, seconds: float, age_limit: float | None
) -> tuple[list[Shown], Stats]:
    """Run the pipeline for some seconds; the frames shown and the statistics."""
    source = build("source", {"name": "file", "path": str(path), "live": True, "loop": True})
    detector = build("detector", {"name": "onnx", "model": network, "threads": 1})
    sink = RecordingSink(build("sink", {"name": "discard"}, "sink.discard"))
    tracker = build("tracker", {"name": "steady"})
    pipeline = Pipeline(Stream(source, tracker, {"view": sink}, age_limit=age_limit), detector)
    end = time.monotonic() + seconds
    return sink.shown, pipeline.run(lambda _: pipeline.stop() if time.monotonic() > end else None)


def intervals(shown: Sequence[Shown], length: float) -> list[dict[str, float]]:
    """Figures of each full interval of `length` seconds; the first is warm-up and left out."""
    found = []
    for number in range(1, int(shown[-1].at / length)):
        part = [s for s in shown if number * length <= s.at < (number + 1) * length]
        if part:
            p50, p95, most = np.percentile([1e3 * s.age for s in part], PERCENTILES).tolist()
            at = number * length / 60
            figures = {"minute": at, "p50": p50, "p95": p95, "max": most}
            found.append(figures | {"memory": part[-1].memory, "frames": len(part)})
    return found


def growth(found: Sequence[dict[str, float]], key: str) -> float:
    """Growth of a figure over the run, by linear regression, relative to its mean."""
    minutes, values = (np.array([one[k] for one in found]) for k in ("minute", key))
    slope = np.polyfit(minutes, values, 1)[0] if len(found) > 1 else 0.0
    return float(slope * (minutes[-1] - minutes[0]) / values.mean())


def tables(found: Sequence[dict[str, float]], summary: dict[str, Any]) -> list[Table]:
    """Tables of the intervals (thinned out) and of the whole run."""
    titles = {
        "minute": "from minute",
        "p50": "age p50, ms",
        "p95": "p95",
        "max": "max",
        "memory": "memory, MB",
        "frames": "shown",
    }
    some = found[:: -(-len(found) // MAX_ROWS)]
    alone, p95 = (summary["detector_ms"][p] + summary["draw_ms"][p] for p in ("p50", "p95"))
    return [
        Table("By interval", list(titles.values()), [[one[k] for k in titles] for one in some]),
        Table(
            "Whole run",
            ["", ""],
            [
                ["p95 of the age, median of the intervals, ms", summary["p95_ms"]],
                ["time to detect and draw one frame, sum of medians, ms", alone],
                [f"ratio of the two, target at most {MAX_AGE_RATIO}", summary["p95_ms"] / alone],
                ["sum of their p95, ratio to the sum of medians", p95 / alone],
                ["frames shown, /s", summary["shown_per_s"]],
                ["growth of p95 over the run, %", 100 * growth(found, "p95")],
                ["growth of memory over the run, %", 100 * growth(found, "memory")],
                ["frames captured", summary["captured"]],
                ["dropped because a newer one was available", summary["dropped"]],
            ],
            "Growth: slope of a linear regression over the intervals times the length of the run.",
        ),
    ]


def latency_drift(
    path: Path,
    minutes: float,
    length: float,
    out: Path,
    network: str = MODEL,
    name: str = NAME,
    age_limit: float | None = AGE_LIMIT,
) -> dict[str, Any]:
    """Run, and save the result and its plot in a folder.

    Args:
        path: the video.
        minutes: length of the run.
        length: of an interval, s.
        out: folder of the result.
        network: name or path of the model.
        name: of the result.
        age_limit: see `vidan.runtime.stream.Stream`.

    Raises:
        VidanError: the run is too short for two intervals after the warm-up.
    """
    shown, stats = run(path, network, 60 * minutes, age_limit)
    found = intervals(shown, length) if shown else []
    if len(found) < 2:
        raise VidanError(f"--minutes {minutes:g}: too short for three intervals of {length:g} s")
    whole = stats.summary()
    summary = {
        "p95_ms": float(np.median([one["p95"] for one in found])),
        "detector_ms": whole["stages_ms"]["detector"],
        "draw_ms": whole["stages_ms"]["sink.view"],
        "shown_per_s": sum(one["frames"] for one in found) / len(found) / length,
        "captured": stats.captured,
        "dropped": stats.dropped,
    }
    command = f"python -m benchmarks.soak.latency_drift --minutes {minutes:g}"
    command += "" if network == MODEL else f" --model {network}"
    command += "" if age_limit == AGE_LIMIT else f" --age-limit {age_limit}".lower()
    command += "" if name == NAME else f" --name {name}"
    made: dict[str, Any] = result(
        name,
        "Age of a live view over time",
        command,
        tables(found, summary),
        [f"{name}.png"],
        settings={
            "video": path.name,
            "model": network,
            "age_limit": age_limit,
            "minutes": minutes,
            "interval_s": length,
        },
        figures=summary,
        intervals=[{k: round(v, 3) for k, v in one.items()} for one in found],
    )
    save(made, out)
    draw(out / f"{name}.png", found)
    return made


def draw(path: Path, found: Sequence[dict[str, float]]) -> None:
    """Plot age and memory over time."""
    figure = plot.figure(9, 2.8)
    minutes = [one["minute"] for one in found]
    ages, memories = figure.subplots(1, 2)
    for key in ("p50", "p95", "max"):
        ages.plot(minutes, [one[key] for one in found], label=key)
    ages.set_title("age when shown, ms", loc="left")
    ages.legend(frameon=False, loc="lower left", ncols=len(PERCENTILES))
    memories.plot(minutes, [one["memory"] for one in found])
    memories.set_title("memory, MB", loc="left")
    for axes in (ages, memories):
        axes.set_xlabel("minutes")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    plot.save(figure, path)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.soak.latency_drift", str(__doc__))
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--interval", type=float, default=60, help="length of an interval, s")
    options.add_argument("--model", default=MODEL, help="name or path of the detector's model")
    options.add_argument(
        "--age-limit",
        type=lambda text: None if text == "none" else float(text),
        default=AGE_LIMIT,
        help="pipeline.age_limit, s; none: as many frames as the detector can process",
    )
    options.add_argument("--name", default=NAME, help="name of the result")
    args = options.parse_args()
    setup_logging()
    found = latency_drift(
        video(300), args.minutes, args.interval, args.out, args.model, args.name, args.age_limit
    )
    show(found, console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.soak.latency_drift", main)
