"""`python -m benchmarks.suite.startup`: how soon vidan answers, beside what nobody can do without.

The first result of the demo and of a video file, against PyAV and ONNX Runtime by hand
(`benchmarks/baselines/cold_start.py`); `vidan --help` and `vidan plugins`, against the help of a bare Hydra
program. Each is a process of its own, all in turn, several rounds: what else the machine does falls
on all alike, and ratios are of the same round. The first round only warms the disk's cache.
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

from vidan.cli.terminal import console, listen
from vidan.errors import VidanError
from vidan_plugins.tools.bench.runs import run

from ..inputs import WORK, parser, shipped, video
from ..report import Table, result, save, show, spread

BASELINES = Path(__file__).parents[1] / "baselines"

HAND, HYDRA = "PyAV and ONNX Runtime by hand", "a bare Hydra program, --help"

Seconds = tuple[float, float]
"""From the start of a process: wall time, and processor time, s."""


def by_hand(path: Path) -> Seconds:
    """Until a network has seen the first frame of a video."""
    spawned = time.monotonic()  # one clock for all processes
    said = json.loads(_output([str(BASELINES / "cold_start.py"), str(path), str(shipped())]))
    return said["at"] - spawned, said["cpu_s"]


def vidan(overrides: Sequence[str], folder: Path) -> Seconds:
    """Until vidan's first result is in a sink; processor time until it is tracked."""
    found = run([*overrides, "max_frames=3"], folder)
    sinks = [spans[0].end for name, spans in found.stages.items() if name.startswith("sink.")]
    return min(sinks), found.stages["tracker"][0].more["process_cpu"]


def command(arguments: Sequence[str]) -> Seconds:
    """Until a program has ended."""
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
    """What is measured, by its title; the yardsticks come before what is held against them."""
    rest = [override for override in demo if not override.startswith("source.")]
    of_file = ["source=file", f"source.path='{path}'", *rest]
    return {
        HAND: lambda: by_hand(path),
        "vidan: the demo": lambda: vidan(demo, folder / "demo"),
        "vidan: a video file": lambda: vidan(of_file, folder / "file"),
        HYDRA: lambda: command([str(BASELINES / "hydra_app.py"), "--help"]),
        "vidan --help": lambda: command(["-m", "vidan", "--help"]),
        "vidan plugins": lambda: command(["-m", "vidan", "plugins"]),
    }


def startup(path: Path, rounds: int, out: Path, demo: Sequence[str] = ()) -> dict[str, Any]:
    """Measure, and keep the result in a folder.

    Args:
        path: the video.
        rounds: that count.
        out: the folder of the result.
        demo: overrides of the demo.
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
    """Medians, and medians of the ratios of each round to its yardstick."""
    rows: list[list[str | float | int | None]] = []
    yardstick: list[Seconds] = []
    for title, found in measured.items():
        if title in (HAND, HYDRA):
            yardstick = found
        walls = spread(wall for wall, _ in found)
        ratios = [
            spread(one[k] / other[k] for one, other in zip(found, yardstick, strict=True))["median"]
            for k in (0, 1)
        ]
        low_to_high = f"{walls['low']:.2f} to {walls['high']:.2f}"
        cpu = spread(cpu for _, cpu in found)["median"]
        rows.append([title, walls["median"], low_to_high, ratios[0], cpu, ratios[1]])
    columns = ["", "wall, s", "low to high", "of the yardstick", "CPU, s", "of the yardstick"]
    note = (
        "The first row is the yardstick of the next two, until the first result; the fourth of the "
        "last two, until the program has ended. Both count from the start of the process."
    )
    return Table("Until there is an answer", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.startup", str(__doc__))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("overrides", nargs="*", help="of the demo")
    args = options.parse_args()
    listen()
    try:
        show(startup(video(300), args.rounds, args.out, args.overrides), console())
    except VidanError as error:
        sys.exit(f"benchmarks.suite.startup: error: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
