"""`python -m benchmarks.soak.latency_drift`: whether the delay of a live view grows, over a long run.

A 1080p camera at 30 frames/s (the suite's video, paced by its timestamps, again and again), a
detector that is slower than that (`--model`, on one thread), and a sink that draws each
result and shows only the newest. Notes the age of what it shows, and the memory, span by span:
both are to stay as they are.

    python -m benchmarks.soak.latency_drift --minutes 30
    python -m benchmarks.soak.latency_drift --minutes 5 --model facemask_d0 --name latency_drift_d0   # slower still
    python -m benchmarks.soak.latency_drift --minutes 5 --age-limit none --name latency_drift_all_frames     # as many as it can
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vidan.cli.terminal import console, listen
from vidan.config.build import build
from vidan.errors import VidanError
from vidan.interfaces import Sink
from vidan.runtime.pipeline import AGE_LIMIT, Pipeline
from vidan.stats import Stats
from vidan.types import Result
from vidan_plugins.tools.bench import plot

from ..inputs import parser, video
from ..report import Table, result, save, show

PERCENTILES = (50, 95, 100)
ROWS = 12
"""About so many spans are shown in the table; the JSON has them all."""

NAME, MODEL = "latency_drift", "facemask_lite0"
"""Of the result; of the float32 model, which on one thread cannot keep up with the camera."""

BOUND = 1.25
"""How old images may be, p95, of detecting, tracking and drawing one frame."""


class Shown(NamedTuple):
    """An image that was shown: when, s since the start; its age, s; the process's memory, MB."""

    at: float
    age: float
    memory: float


class Watched:
    """A sink that draws as a window would, and notes what it shows."""

    lossless = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._started = time.monotonic()
        self.shown: list[Shown] = []

    def write(self, result: Result) -> None:
        """Draw it, and note its age then."""
        self._sink.write(result)
        now = time.monotonic()
        self.shown.append(Shown(now - self._started, now - result.frame.captured, memory()))

    def close(self) -> None:
        """Close the sink that draws."""
        self._sink.close()


def memory() -> float:
    """What this process has in memory now, MB; 0 where Linux does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def watch(
    path: Path, network: str, seconds: float, age_limit: float | None
) -> tuple[list[Shown], Stats]:
    """Run for so long, and give what was shown."""
    source = build("source", {"name": "file", "path": str(path), "live": True, "loop": True})
    detector = build("detector", {"name": "onnx", "model": network, "threads": 1})
    sink = Watched(build("sink", {"name": "discard"}, "sink.discard"))
    tracker = build("tracker", {"name": "steady"})
    pipeline = Pipeline(source, detector, tracker, {"view": sink}, age_limit=age_limit)
    end = time.monotonic() + seconds
    return sink.shown, pipeline.run(lambda _: pipeline.stop() if time.monotonic() > end else None)


def spans(shown: Sequence[Shown], length: float) -> list[dict[str, float]]:
    """Figures of each whole span of so many seconds, behind the first, in which all warms up."""
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
    """By how much a figure grows over the whole run, in a straight line, of its mean."""
    minutes, values = (np.array([one[k] for one in found]) for k in ("minute", key))
    slope = np.polyfit(minutes, values, 1)[0] if len(found) > 1 else 0.0
    return float(slope * (minutes[-1] - minutes[0]) / values.mean())


def tables(found: Sequence[dict[str, float]], summary: dict[str, Any]) -> list[Table]:
    """The spans, some of them, and how they grow."""
    titles = {
        "minute": "from minute",
        "p50": "age p50, ms",
        "p95": "p95",
        "max": "max",
        "memory": "memory, MB",
        "frames": "shown",
    }
    some = found[:: -(-len(found) // ROWS)]
    alone, p95 = (summary["detector_ms"][p] + summary["draw_ms"][p] for p in ("p50", "p95"))
    return [
        Table("Span by span", list(titles.values()), [[one[k] for k in titles] for one in some]),
        Table(
            "Over all",
            ["", ""],
            [
                ["p95 of the age, median of the spans, ms", summary["p95_ms"]],
                ["detecting and drawing one frame, medians, ms", alone],
                [f"their ratio, to be {BOUND} at most", summary["p95_ms"] / alone],
                ["p95 of detecting and of drawing, together, of these medians", p95 / alone],
                ["frames shown, /s", summary["shown_per_s"]],
                ["growth of p95 over the run, %", 100 * growth(found, "p95")],
                ["growth of memory over the run, %", 100 * growth(found, "memory")],
                ["frames captured", summary["captured"]],
                ["of which dropped, not being the newest", summary["dropped"]],
            ],
            "Growth is that of a straight line through the spans.",
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
    """Run, and keep the result with its plot in a folder.

    Args:
        path: the video.
        minutes: how long.
        length: of a span, s.
        out: the folder.
        network: name or file of the model.
        name: of the result.
        age_limit: see `vidan.runtime.pipeline.Pipeline`.

    Raises:
        VidanError: the run is too short for two spans behind the first.
    """
    shown, stats = watch(path, network, 60 * minutes, age_limit)
    found = spans(shown, length) if shown else []
    if len(found) < 2:
        raise VidanError(f"--minutes {minutes:g}: too short for three spans of {length:g} s")
    told = stats.summary()
    summary = {
        "p95_ms": float(np.median([one["p95"] for one in found])),
        "detector_ms": told["stages_ms"]["detector"],
        "draw_ms": told["stages_ms"]["sink.view"],
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
        "The age of a live image, over time",
        command,
        tables(found, summary),
        [f"{name}.png"],
        settings={
            "video": path.name,
            "model": network,
            "age_limit": age_limit,
            "minutes": minutes,
            "span_s": length,
        },
        figures=summary,
        spans=[{k: round(v, 3) for k, v in one.items()} for one in found],
    )
    save(made, out)
    draw(out / f"{name}.png", found)
    return made


def draw(path: Path, found: Sequence[dict[str, float]]) -> None:
    """Age and memory over time."""
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
    options.add_argument("--span", type=float, default=60, help="s, over which figures are taken")
    options.add_argument("--model", default=MODEL, help="name or file of the detector's model")
    options.add_argument(
        "--age-limit",
        type=lambda text: None if text == "none" else float(text),
        default=AGE_LIMIT,
        help="pipeline.age_limit; none for as many frames as can be",
    )
    options.add_argument("--name", default=NAME, help="of the result")
    args = options.parse_args()
    listen()
    try:
        found = latency_drift(
            video(300), args.minutes, args.span, args.out, args.model, args.name, args.age_limit
        )
        show(found, console())
    except VidanError as error:
        sys.exit(f"benchmarks.soak.latency_drift: error: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
