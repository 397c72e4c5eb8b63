"""Start-up time of vidan, compared with the least that the libraries need.

    python -m benchmarks.suite.startup

Compares the first result of the demo and of a video file with PyAV and ONNX Runtime without vidan
(`benchmarks/baselines/cold_start.py`), and `vidan --help` and `vidan plugins` with the help of an
empty Hydra program. Each run is a new process. They take turns for several rounds, so that other
load on the machine affects all alike; ratios are within a round. The first round only fills the
disk cache and is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vidan.cli.terminal import console, setup_logging
from vidan.errors import VidanError
from vidan.support.program import positive, run_program
from vidan_plugins.tools.bench.runs import run_vidan

from ..inputs import WORK, parser, shipped, video
from ..report import Table, result, save, show, spread

BASELINES = Path(__file__).parents[1] / "baselines"

LIBRARIES, HYDRA = "PyAV and ONNX Runtime alone", "empty Hydra program, --help"
"""The baselines."""

Seconds = tuple[float, float]
"""Wall time and CPU time since the start of a process, s."""


def libraries(path: Path) -> Seconds:
    """Time until the model has run on the first frame of a video."""
    spawned = time.monotonic()  # one clock for all processes
    output = json.loads(_output([str(BASELINES / "cold_start.py"), str(path), str(shipped())]))
    return output["at"] - spawned, output["cpu_s"]


def vidan(overrides: Sequence[str], folder: Path) -> Seconds:
    """Time until the first result has reached a sink; CPU time until it is tracked."""
    found = run_vidan([*overrides, "max_frames=3"], folder)
    sinks = [spans[0].end for name, spans in found.stages.items() if name.startswith("sink.")]
    return min(sinks), found.stages["tracker"][0].args["process_cpu"]


def command(arguments: Sequence[str]) -> Seconds:
    """Time until a program has ended."""
    before, started = os.times(), time.monotonic()
    _output(arguments)
    seconds, after = time.monotonic() - started, os.times()
    cpu = after.children_user + after.children_system
    return seconds, cpu - before.children_user - before.children_system


def _output(arguments: Sequence[str]) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise VidanError(f"{' '.join(arguments)}: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout


def candidates(path: Path, demo: Sequence[str], folder: Path) -> dict[str, Callable[[], Seconds]]:
    """The programs by title; a baseline stands before those that are compared with it."""
    rest = [override for override in demo if not override.startswith("source.")]
    of_file = ["source=file", f"source.path='{path}'", *rest]
    return {
        LIBRARIES: lambda: libraries(path),
        "vidan: the demo": lambda: vidan(demo, folder / "demo"),
        "vidan: a video file": lambda: vidan(of_file, folder / "file"),
        HYDRA: lambda: command([str(BASELINES / "hydra_app.py"), "--help"]),
        "vidan --help": lambda: command(["-m", "vidan", "--help"]),
        "vidan plugins": lambda: command(["-m", "vidan", "plugins"]),
    }


def startup(path: Path, rounds: int, out: Path, demo: Sequence[str] = ()) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        path: the video.
        rounds: that are counted.
        out: folder of the result.
        demo: overrides for the demo.
    """
    measured: dict[str, list[Seconds]] = {}
    for number in range(rounds + 1):
        for title, measure in candidates(path, demo, WORK / "startup").items():
            seconds = measure()
            if number:
                measured.setdefault(title, []).append(seconds)
    made: dict[str, Any] = result(
        "startup",
        "Start-up",
        f"python -m benchmarks.suite.startup --rounds {rounds}",
        [_table(measured)],
        settings={"video": path.name, "rounds": rounds, "demo": list(demo)},
        figures={
            title: {"wall_s": spread(w for w, _ in found), "cpu_s": spread(c for _, c in found)}
            for title, found in measured.items()
        },
    )
    save(made, out)
    return made


def _table(measured: dict[str, list[Seconds]]) -> Table:
    """Medians, and medians of the ratios to the baseline within a round."""
    rows: list[list[str | float | int | None]] = []
    baseline: list[Seconds] = []
    for title, found in measured.items():
        if title in (LIBRARIES, HYDRA):
            baseline = found
        walls = spread(wall for wall, _ in found)
        ratios = [
            spread(one[k] / other[k] for one, other in zip(found, baseline, strict=True))["median"]
            for k in (0, 1)
        ]
        low_to_high = f"{walls['low']:.2f} to {walls['high']:.2f}"
        cpu = spread(cpu for _, cpu in found)["median"]
        rows.append([title, walls["median"], low_to_high, ratios[0], cpu, ratios[1]])
    columns = ["", "wall, s", "low to high", "ratio", "CPU, s", "ratio"]
    note = (
        "From the start of the process until the first result; the last three rows: until its end. "
        "Ratios of rows 2 and 3 are to row 1, those of rows 5 and 6 to row 4."
    )
    return Table("Start-up", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.startup", str(__doc__))
    options.add_argument("--rounds", type=positive, default=5)
    options.add_argument("overrides", nargs="*", help="overrides for the demo")
    args = options.parse_args()
    setup_logging()
    show(startup(video(300), args.rounds, args.out, args.overrides), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.startup", main)
