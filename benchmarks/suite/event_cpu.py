"""CPU time and latency that event outputs add to a live run of 1080p video.

    python -m benchmarks.suite.event_cpu

Plays the real video as a camera, with `detector=people` and lines that give about ten events per
second, in processes of their own: in turns with lines of JSON only, and with `sink=mqtt` (mosquitto
on this machine, started for that) and `sink=sql` (SQLite) in addition. The CPU time is that of the
whole process, in a window that starts after the programs are loaded.
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

BARE, OUTPUTS = "events", "events, mqtt, sql"

LINES = {
    f"at{n}": {"from": [n / 8, 0.3], "to": [n / 8, 1.0], "anchor": "center"} for n in range(1, 8)
}
"""Lines across the street that people walk along."""


def overrides(video: Path, folder: Path, port: int | None, frames: int) -> list[str]:
    """Options of a run; a port of a broker adds `mqtt` and `sql`."""
    scene = folder / "scene.yaml"
    scene.write_text(json.dumps({"lines": LINES}), encoding="utf-8")
    made = [
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
    ]
    if port is None:
        return [*made, "sink=[events,discard]"]
    return [*made, "sink=[events,discard,mqtt,sql]", f"sink.mqtt.port={port}"]


def child(options: list[str], seconds: float) -> None:
    """Run vidan, and print the figures of the window as JSON."""
    window: dict[str, float] = {}

    def watch() -> None:
        time.sleep(WARM_UP)
        used, began = time.process_time(), time.perf_counter()
        time.sleep(seconds)
        window["cpu"] = time.process_time() - used
        window["seconds"] = time.perf_counter() - began

    threading.Thread(target=watch, daemon=True).start()
    vidan.run(options)
    if "seconds" not in window:
        raise VidanError("the run ended within the window")
    sys.stdout.write(json.dumps(window) + "\n")


def measure(video: Path, seconds: float, port: int | None) -> dict[str, float]:
    """One run in a process of its own: CPU in percent of one core, events, age of frames in ms."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        length = WARM_UP + seconds + 5
        command = [sys.executable, "-m", "benchmarks.suite.event_cpu", "--seconds", str(seconds)]
        command += ["--child", *overrides(video, folder, port, int(FRAME_RATE * length))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise VidanError(f"vidan failed: {done.stderr.strip()[-500:]}")
        window = json.loads(done.stdout.splitlines()[-1])
        summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        events = sum(summary["events"].values())
    age = summary["age_ms"]["discard"]
    return {
        "cpu_percent": 100 * window["cpu"] / window["seconds"],
        "events_per_s": events / length,
        "dropped": summary["dropped"],
        "age_p50_ms": age["p50"],
        "age_p95_ms": age["p95"],
    }


def event_cpu(video: Path, pairs: int, seconds: float, out: Path) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        video: 1080p, 30 frames per second.
        pairs: runs without and with the outputs, in turns; each second pair in reverse order.
        seconds: length of the window, s.
        out: folder of the result.
    """
    measured: dict[str, list[dict[str, float]]] = {BARE: [], OUTPUTS: []}
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as port:
        for turn in range(pairs):
            for title in (BARE, OUTPUTS) if turn % 2 == 0 else (OUTPUTS, BARE):
                found = measure(video, seconds, port if title == OUTPUTS else None)
                measured[title].append(found)
    ratios = {
        key: spread(
            with_outputs[key] / bare[key]
            for bare, with_outputs in zip(measured[BARE], measured[OUTPUTS], strict=True)
        )
        for key in ("cpu_percent", "age_p50_ms", "age_p95_ms")
    }
    made: dict[str, Any] = result(
        "event_cpu",
        "CPU time of event outputs",
        f"python -m benchmarks.suite.event_cpu --pairs {pairs} --seconds {seconds:g}",
        [_table(measured, ratios)],
        settings={"pairs": pairs, "seconds": seconds, "video": video.name},
        figures={"runs": measured, "ratios": ratios},
    )
    save(made, out)
    return made


def _table(measured: dict[str, list[dict[str, float]]], ratios: dict[str, Any]) -> Table:
    rows: list[list[str | float | int | None]] = [
        [title, *(round(spread(run[key] for run in runs)["median"], 2) for key in runs[0])]
        for title, runs in measured.items()
    ]
    cpu, p50, p95 = (
        f"{each['median']:.3f} ({each['low']:.3f} to {each['high']:.3f})"
        for each in ratios.values()
    )
    rows.append(["ratio of pairs", cpu, None, None, p50, p95])
    columns = ["", "CPU, %", "events/s", "dropped", "age p50, ms", "age p95, ms"]
    note = "CPU: of one core, the whole process. Age: from capture to `discard`, the whole run."
    return Table("CPU time of event outputs", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.event_cpu", str(__doc__))
    options.add_argument("--pairs", type=positive, default=4)
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
    show(event_cpu(video, args.pairs, args.seconds, args.out), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.event_cpu", main)
