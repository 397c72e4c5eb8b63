"""How many cameras two cores can take: one process with all of them, or a process for each.

    python -m benchmarks.suite.cameras

Plays the 1080p video as 1 to 8 cameras and more, each with five detections per second of the model
that vidan ships. In turns, all cameras are streams of one process, or each has a process of its
own. The cameras do not send at the same time: their starts are spread over an interval.

A camera keeps up if nearly all of its frames arrive at the sink, and their age does not grow. The
number of cameras that keep up is compared with what the CPU time allows that decoding and
detecting take alone.

    python -m benchmarks.suite.cameras --fairness

compares the ages of the frames of four cameras with each other, and with runs in which one of them
stalls, fails, or sends 30 frames per second. Linux only: reads `/proc`.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.terminal import console, setup_logging
from vidan.config.build import build
from vidan.support.program import positive, run_program
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.tools.bench import plot

from ..inputs import parser, video
from ..processes import COMPONENTS, cpu_time, memory, running
from ..report import Table, result, save, show

NAME = "cameras"
RATE = 5.0
"""Detections per second of each camera."""

WARM_UP_S = 6.0
"""After the first frame of the last camera."""

COMPLETE, MAX_GROWTH = 0.98, 1.25
"""Share of the frames that arrive, and ratio of the ages in the second half to those in the first,
of a camera that keeps up."""

FAIRNESS_CAMERAS = 4

Camera = Mapping[str, Any]
"""Options of `source=stalling`."""


def cameras(path: Path, count: int) -> dict[str, Camera]:
    """The cameras by name."""
    return {
        f"camera{n}": {"path": str(path), "rate": RATE, "delay": n / RATE / count}
        for n in range(count)
    }


def together(folder: Path, chosen: Mapping[str, Camera]) -> list[list[str]]:
    """Arguments of one run with all cameras."""
    streams = {name: {"source": {"name": "stalling", **c}} for name, c in chosen.items()}
    (folder / "streams.yaml").write_text(json.dumps(streams), encoding="utf-8")
    return [[f"streams={folder / 'streams.yaml'}", f"run_dir={folder / 'run'}"]]


def apart(folder: Path, chosen: Mapping[str, Camera]) -> list[list[str]]:
    """Arguments of a run for each camera."""
    return [
        [
            "source=stalling",
            f"source.stream={name}",
            *(f"source.{key}={value}" for key, value in camera.items()),
            f"run_dir={folder / 'run' / name}",
        ]
        for name, camera in chosen.items()
    ]


MODES = {"one process": together, "separate processes": apart}


def measure(mode: str, chosen: Mapping[str, Camera], seconds: float) -> dict[str, Any]:
    """CPU, memory, and the ages of frames in a window of a run.

    Raises:
        VidanError: the run fails.
    """
    common = [f"plugins_dir={COMPONENTS}", "sink=[ages]", "quiet=true"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = {each: folder / "run" / each / "ages.txt" for each in chosen}

        def started() -> bool:
            return all(path.exists() and path.stat().st_size for path in paths.values())

        runs = [[*run, *common] for run in MODES[mode](folder, chosen)]
        with running(folder, runs, started) as processes:
            time.sleep(WARM_UP_S)
            began, used = time.monotonic(), cpu_time(processes)
            time.sleep(seconds)
            ended, used = time.monotonic(), cpu_time(processes) - used
            megabytes = memory(processes)
        found = {each: _ages(path, began, ended) for each, path in paths.items()}
    return {
        "cpu_percent": 100 * used / (ended - began),
        "memory_mb": megabytes,
        "cameras": found,
    }


def _ages(path: Path, began: float, ended: float) -> dict[str, float]:
    """Frames per second of a camera, and their ages in ms, in a window and its halves."""
    rows = np.loadtxt(path, ndmin=2)
    arrived, age = rows[:, 0], 1e3 * rows[:, 1]
    inside = (arrived >= began) & (arrived < ended)
    first = inside & (arrived < (began + ended) / 2)
    halves = [age[first], age[inside & ~first]]
    p50, p95 = np.percentile(age[inside], [50, 95]).tolist() if inside.any() else (math.nan,) * 2
    growth = np.median(halves[1]) / np.median(halves[0]) if all(map(len, halves)) else math.nan
    return {
        "per_s": float(inside.sum() / (ended - began)),
        "p50": p50,
        "p95": p95,
        "p95_second_half": float(np.percentile(halves[1], 95)) if len(halves[1]) else math.nan,
        "growth": float(growth),
    }


def keeps_up(camera: Mapping[str, float]) -> bool:
    """Whether all of its frames arrive in time."""
    return camera["per_s"] >= COMPLETE * RATE and camera["growth"] <= MAX_GROWTH


def bare_cost(path: Path) -> dict[str, float]:
    """CPU time that one second of a camera takes at least, s: decoding, and detecting."""
    seconds, began = 0.0, time.process_time()
    with closing(VideoFile(str(path), rate=RATE, threads=1)) as source:
        for frame in source:
            seconds = frame.time + 1 / RATE
    decoding = (time.process_time() - began) / seconds
    with (
        closing(VideoFile(str(path), rate=RATE, threads=1)) as source,
        closing(build("detector", {"name": "onnx", "threads": 1})) as detector,
    ):
        frames = list(islice(source, 40))
        detector.detect(frames[:1])
        began = time.process_time()
        for frame in frames[1:]:
            detector.detect([frame])
        detecting = (time.process_time() - began) / (len(frames) - 1) * RATE
    return {"decoding": decoding, "detecting": detecting}


def capacity(path: Path, most: int, seconds: float, out: Path) -> dict[str, Any]:
    """Measure 1 to `most` cameras, and more while they keep up; save the result.

    Args:
        path: of the video.
        most: number of cameras up to which both modes are measured.
        seconds: length of the window, s.
        out: folder of the result.
    """
    cost = bare_cost(path)
    allowed = (os.cpu_count() or 1) / sum(cost.values())
    measured: dict[str, dict[int, dict[str, Any]]] = {mode: {} for mode in MODES}
    best = dict.fromkeys(MODES, 0)
    for mode in MODES:
        for count in range(1, 4 * most):
            found = measure(mode, cameras(path, count), seconds)
            measured[mode][count] = found
            if all(keeps_up(each) for each in found["cameras"].values()):
                best[mode] = count
            elif count >= most:
                break
    figures = {"cost": cost, "allowed": allowed, "best": best, "runs": measured}
    made: dict[str, Any] = result(
        NAME,
        "Cameras on one machine",
        f"python -m benchmarks.suite.cameras --cameras {most} --seconds {seconds:g}",
        [_capacity_table(figures)],
        plots=[f"{NAME}.png"],
        settings={"cameras": most, "seconds": seconds, "video": path.name},
        figures=figures,
    )
    save(made, out)
    draw(out / f"{NAME}.png", figures)
    return made


def _capacity_table(figures: Mapping[str, Any]) -> Table:
    rows: list[list[str | float | int | None]] = []
    for mode, runs in figures["runs"].items():
        for count, found in runs.items():
            each = found["cameras"].values()
            rows.append(
                [
                    mode,
                    int(count),
                    round(min(one["per_s"] for one in each), 2),
                    round(max(one["p95"] for one in each)),
                    round(max(one["growth"] for one in each), 2),
                    round(found["cpu_percent"]),
                    round(found["memory_mb"]),
                ]
            )
    cost = figures["cost"]
    columns = ["", "cameras", "frames/s", "age p95, ms", "growth", "CPU, %", "memory, MB"]
    note = (
        f"frames/s, age, growth: of the worst camera. CPU: of one core. Decoding takes "
        f"{1e3 * cost['decoding']:.0f} ms and detecting {1e3 * cost['detecting']:.0f} ms of CPU "
        f"time for each second of a camera, which allows {figures['allowed']:.1f} cameras; "
        + ", ".join(f"{count} keep up in {mode}" for mode, count in figures["best"].items())
        + "."
    )
    return Table("Cameras on one machine", columns, rows, note)


def draw(path: Path, figures: Mapping[str, Any]) -> None:
    """Draw age, CPU time and memory by the number of cameras."""
    figure = plot.figure(12, 3.2)
    left, middle, right = figure.subplots(1, 3)
    for mode, runs in figures["runs"].items():
        counts = [int(count) for count in runs]
        worst = [max(c["p95"] for c in run["cameras"].values()) for run in runs.values()]
        left.plot(counts, worst, marker="o", label=mode)
        middle.plot(counts, [run["cpu_percent"] for run in runs.values()], marker="o")
        right.plot(counts, [run["memory_mb"] for run in runs.values()], marker="o")
    left.set(title="age p95 of the worst camera, ms", xlabel="cameras", yscale="log")
    middle.set(title="CPU, % of one core", xlabel="cameras", ylim=(0, None))
    right.set(title="memory, MB", xlabel="cameras", ylim=(0, None))
    left.legend(frameon=False)
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    plot.save(figure, path)


CHANGES: dict[str, dict[str, Any]] = {
    "all alike": {},
    "one stalls": {"after": 0.0},
    "one fails": {"after": 0.0, "fails": True},
    "one at 30 frames/s": {"rate": None},
}
"""Options of the last camera."""


def fairness(path: Path, rounds: int, seconds: float, out: Path) -> dict[str, Any]:
    """Measure four cameras of which one is special; save the result.

    Args:
        path: of the video.
        rounds: of all cases, in turns.
        seconds: length of the window, s.
        out: folder of the result.
    """
    measured: dict[str, list[dict[str, Any]]] = {title: [] for title in CHANGES}
    for _ in range(rounds):
        for title, change in CHANGES.items():
            chosen = cameras(path, FAIRNESS_CAMERAS)
            last = f"camera{FAIRNESS_CAMERAS - 1}"
            if "after" in change:  # within the window
                change = {**change, "after": WARM_UP_S + seconds / 2}
            measured[title].append(
                measure("one process", {**chosen, last: {**chosen[last], **change}}, seconds)
            )
    figures = {title: _compare(runs, measured["all alike"]) for title, runs in measured.items()}
    rows: list[list[str | float | int | None]] = [
        [title, *(round(value, 2) for value in each.values())] for title, each in figures.items()
    ]
    columns = ["", "age p95, ms", "spread", "p95, ratio", "frames/s"]
    note = (
        "Of the three cameras that nothing happens to: median p95 of the age; the largest p95 "
        "against the median of the others; p95 in the second half of the window against the same "
        "in the run of that round in which all are alike; frames per second of the slowest."
    )
    made: dict[str, Any] = result(
        f"{NAME}_fairness",
        "Cameras that stall, fail or send more",
        f"python -m benchmarks.suite.cameras --fairness --rounds {rounds} --seconds {seconds:g}",
        [Table("Cameras that stall, fail or send more", columns, rows, note)],
        settings={"cameras": FAIRNESS_CAMERAS, "rounds": rounds, "seconds": seconds},
        figures={"runs": measured, "compared": figures},
    )
    save(made, out)
    return made


def _compare(runs: Sequence[dict[str, Any]], alike: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Medians over the rounds."""

    def others(run: dict[str, Any]) -> list[dict[str, float]]:
        return list(run["cameras"].values())[:-1]

    def p95(run: dict[str, Any], key: str = "p95") -> float:
        return float(np.median([each[key] for each in others(run)]))

    pairs = list(zip(runs, alike, strict=True))
    half = "p95_second_half"
    return {
        "p95": float(np.median([p95(run) for run in runs])),
        "spread": float(np.median([max(_spread(others(run))) for run in runs])),
        "ratio": float(np.median([p95(run, half) / p95(same, half) for run, same in pairs])),
        "per_s": min(each["per_s"] for run in runs for each in others(run)),
    }


def _spread(found: Sequence[Mapping[str, float]]) -> Iterator[float]:
    """The p95 of each camera against the median of the others."""
    for n, each in enumerate(found):
        yield each["p95"] / float(np.median([o["p95"] for m, o in enumerate(found) if m != n]))


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.cameras", str(__doc__))
    options.add_argument("--cameras", type=positive, default=8, help="least number to measure")
    options.add_argument("--seconds", type=float, default=20.0, help="length of the window")
    options.add_argument("--fairness", action="store_true", help="cameras that stall or fail")
    options.add_argument("--rounds", type=positive, default=3, help="of --fairness")
    args = options.parse_args()
    setup_logging()
    path = video(525)
    if args.fairness:
        made = fairness(path, args.rounds, args.seconds, args.out)
    else:
        made = capacity(path, args.cameras, args.seconds, args.out)
    show(made, console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.cameras", main)
