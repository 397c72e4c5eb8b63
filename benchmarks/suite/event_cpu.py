"""CPU time and latency that event outputs add to a live run of 1080p video.

    python -m benchmarks.suite.event_cpu

Plays the real video as a camera, with `detector=people` and lines that give about ten events per
second, in processes of their own: in turns with lines of JSON only, and with `sink=mqtt` (mosquitto
on this machine, started for that), `sink=sql` (SQLite) or both in addition. Measures, in a window
that starts after the programs are loaded, the CPU time of the whole process and that of the threads
of these sinks: the first has everything in it, the second less noise.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import vidan
from vidan.cli.terminal import console, setup_logging
from vidan.errors import VidanError
from vidan.support.program import positive, run_program

from ..inputs import parser, real_video
from ..report import Table, result, save, show, spread
from .event_outputs import FRAME_RATE, mosquitto

WARM_UP = 15.0
"""Until the window starts, s."""

VARIANTS: dict[str, list[str]] = {
    "events": [],
    "events, mqtt": ["mqtt"],
    "events, sql": ["sql"],
    "events, mqtt, sql": ["mqtt", "sql"],
}
BARE = "events"

OUTPUT_THREADS = ("vidan-mqtt", "paho-mqtt", "vidan-sink-mqtt", "vidan-sink-sql")
"""How the names of the sinks' threads begin."""

LINES = {
    f"at{n}": {"from": [n / 8, 0.3], "to": [n / 8, 1.0], "anchor": "center"} for n in range(1, 8)
}
"""Lines across the street that people walk along."""


def overrides(video: Path, folder: Path, sinks: list[str], port: int, frames: int) -> list[str]:
    """Options of a run with these sinks, and a broker at this port."""
    scene = folder / "scene.yaml"
    scene.write_text(json.dumps({"lines": LINES}), encoding="utf-8")
    return [
        "source=file",
        f"source.path={video}",
        "source.live=true",
        "source.loop=true",
        "detector=people",
        "analytics=[lines]",
        f"scene={scene}",
        f"run_dir={folder / 'run'}",
        f"max_frames={frames}",
        "quiet=true",
        f"sink=[{','.join(['events', 'discard', *sinks])}]",
        *([f"sink.mqtt.port={port}"] if "mqtt" in sinks else []),
    ]


def output_cpu() -> float:
    """CPU time of the threads of the outputs, s."""
    return sum(
        time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
        for thread in threading.enumerate()
        if thread.ident is not None and thread.name.startswith(OUTPUT_THREADS)
    )


def child(options: list[str], seconds: float) -> None:
    """Run vidan, and print the figures of the window as JSON."""
    window: dict[str, float] = {}

    def watch() -> None:
        time.sleep(WARM_UP)
        used, of_outputs, began = time.process_time(), output_cpu(), time.perf_counter()
        time.sleep(seconds)
        window["cpu"] = time.process_time() - used
        window["outputs"] = output_cpu() - of_outputs
        window["seconds"] = time.perf_counter() - began

    threading.Thread(target=watch, daemon=True).start()
    vidan.run(options)
    if "seconds" not in window:
        raise VidanError("the run ended within the window")
    sys.stdout.write(json.dumps(window) + "\n")


def measure(video: Path, seconds: float, sinks: list[str], port: int) -> dict[str, float]:
    """One run in a process of its own: CPU in percent of one core, events, age of frames in ms."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        length = WARM_UP + seconds + 5
        command = [sys.executable, "-m", "benchmarks.suite.event_cpu", "--seconds", str(seconds)]
        command += ["--child", *overrides(video, folder, sinks, port, int(FRAME_RATE * length))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise VidanError(f"vidan failed: {done.stderr.strip()[-500:]}")
        window = json.loads(done.stdout.splitlines()[-1])
        summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        events = sum(summary["events"].values())
    age = summary["age_ms"]["discard"]
    return {
        "cpu_percent": 100 * window["cpu"] / window["seconds"],
        "outputs_percent": 100 * window["outputs"] / window["seconds"],
        "events_per_s": events / length,
        "dropped": summary["dropped"],
        "age_p50_ms": age["p50"],
        "age_p95_ms": age["p95"],
    }


def event_cpu(video: Path, rounds: int, seconds: float, out: Path) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        video: 1080p, 30 frames per second.
        rounds: of one run with each choice of sinks; each second one in reverse order.
        seconds: length of the window, s.
        out: folder of the result.
    """
    measured: dict[str, list[dict[str, float]]] = {title: [] for title in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as port:
        for turn in range(rounds):
            for title in list(VARIANTS)[:: 1 if turn % 2 == 0 else -1]:
                measured[title].append(measure(video, seconds, VARIANTS[title], port))
    figures = {title: _figures(runs, measured[BARE]) for title, runs in measured.items()}
    made: dict[str, Any] = result(
        "event_cpu",
        "CPU time of event outputs",
        f"python -m benchmarks.suite.event_cpu --rounds {rounds} --seconds {seconds:g}",
        [_table(figures)],
        settings={"rounds": rounds, "seconds": seconds, "video": video.name},
        figures=figures,
    )
    save(made, out)
    return made


def _figures(runs: list[dict[str, float]], bare: list[dict[str, float]]) -> dict[str, Any]:
    """Medians of the runs, and ratios to the run without outputs in the same round."""
    figures: dict[str, Any] = {key: spread(run[key] for run in runs) for key in runs[0]}
    for key in ("cpu_percent", "age_p50_ms", "age_p95_ms"):
        pairs = zip(runs, bare, strict=True)
        figures[f"{key}_ratio"] = spread(one[key] / other[key] for one, other in pairs)
    figures["outputs_share"] = spread(
        one["outputs_percent"] / (one["cpu_percent"] - one["outputs_percent"]) for one in runs
    )
    return figures


def _table(figures: dict[str, dict[str, Any]]) -> Table:
    def ratio(each: dict[str, float]) -> str:
        return f"{each['median']:.3f} ({each['low']:.3f} to {each['high']:.3f})"

    rows: list[list[str | float | int | None]] = [
        [
            title,
            round(each["events_per_s"]["median"], 1),
            round(each["cpu_percent"]["median"], 1),
            ratio(each["cpu_percent_ratio"]),
            round(100 * each["outputs_share"]["median"], 2),
            ratio(each["age_p50_ms_ratio"]),
            ratio(each["age_p95_ms_ratio"]),
        ]
        for title, each in figures.items()
    ]
    columns = ["", "events/s", "CPU, %", "ratio", "outputs, %", "age p50, ratio", "age p95, ratio"]
    note = (
        "CPU: of one core, the whole process; outputs: CPU time of their threads against that of "
        "the others. Ratios: to the run without outputs in the same round, median (low to high). "
        "Age: from capture to `discard`, the whole run."
    )
    return Table("CPU time of event outputs", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.event_cpu", str(__doc__))
    options.add_argument("--rounds", type=positive, default=3)
    options.add_argument("--seconds", type=float, default=40.0)
    options.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    args = options.parse_args()
    setup_logging()
    if args.child:
        child(args.child, args.seconds)
        return 0
    video = real_video()
    if video is None:
        raise VidanError("set VIDAN_DATA to the folder that has video/MOT16-09.mp4")
    show(event_cpu(video, args.rounds, args.seconds, args.out), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.event_cpu", main)
