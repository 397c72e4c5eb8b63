"""`vidan batch`: what a file costs besides its job, and `runner=local` against processes by hand.

    python -m benchmarks.suite.batch

The first table has the time per file of a batch job whose jobs do nothing: search for files,
manifest, scheduling and dataset. The second one compares `runner=local` over clips with 1, 2, ...
processes that are started by hand, each of which takes a share of the clips one after the other
with the same configuration (`benchmarks/baselines/clip_loop.py`). They take turns for several
rounds, and ratios are within a round.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan.cli.terminal import console, setup_logging
from vidan.errors import VidanError
from vidan.support.cores import physical_cores
from vidan.support.program import positive, run_program
from vidan_plugins.tools.batch.batch import process
from vidan_plugins.tools.batch.files import find_files
from vidan_plugins.tools.batch.settings import read_settings
from vidan_plugins.tools.bench.clip import make_clip

from ..baselines.nothing import nothing
from ..inputs import WORK, parser
from ..report import Table, result, save, show, spread

LOOP = Path(__file__).parents[1] / "baselines/clip_loop.py"

PER_FOLDER = 100
"""Files in a folder."""

OPTIONS = ("quiet=true", "detector=onnx", "tracker=sort")

LOCAL = "vidan batch, runner=local"


def overhead(count: int, folder: Path, runner: str) -> dict[str, float]:
    """Time per file of a batch job whose jobs do nothing, and of the same command again, ms.

    Args:
        count: number of files.
        folder: an empty folder.
        runner: that gets the jobs.
    """
    for number in range(count):
        path = folder / f"clips/{number // PER_FOLDER:03d}/{number:06d}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)
    pattern, run_dir = f"source.path={folder}/clips/**/*.mp4", folder / "out"
    settings, config = read_settings(
        [pattern, f"run_dir={run_dir}", f"runner={runner}", *OPTIONS],
    )
    run_dir.mkdir()
    found = {}
    for what in ("first", "again"):
        began = time.perf_counter()
        files = find_files(config.source.path, run_dir)
        summary = process(files, settings, config, run_dir, nothing)
        if summary["files"] != count:
            raise VidanError(f"{summary['files']} of {count} files are complete")
        found[what] = 1000 * (time.perf_counter() - began) / count
    return found


def local(clips: Sequence[Path], out: Path) -> float:
    """Duration of `vidan batch` over clips, s."""
    command = ["-m", "vidan", "batch", f"source.path={clips[0].parent}/*.mp4", f"run_dir={out}"]
    return _together([[sys.executable, *command, *OPTIONS]])


def by_hand(clips: Sequence[Path], processes: int, out: Path) -> float:
    """Duration of several processes, each over a share of the clips, s."""
    _, config = read_settings([f"source.path={clips[0]}", f"run_dir={out}", *OPTIONS])
    out.mkdir(parents=True)
    path = out / "config.json"
    path.write_text(json.dumps(OmegaConf.to_container(config)))
    return _together(
        [sys.executable, str(LOOP), str(path), str(out / str(n)), *map(str, clips[n::processes])]
        for n in range(processes)
    )


def _together(commands: Any) -> float:
    """Time until commands that run at the same time have ended, s."""
    began = time.monotonic()
    running = [subprocess.Popen(command) for command in commands]  # noqa: S603
    codes = [process.wait() for process in running]
    if any(codes):
        raise VidanError(f"a process ended with the exit codes {codes}")
    return time.monotonic() - began


def compared(count: int, frames: int, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Durations of each way to process clips, s, by its title.

    Args:
        count: number of clips.
        frames: in each clip.
        rounds: of measurements.
        folder: an empty folder.
    """
    clip = make_clip(folder, "960x540", frames=frames)
    (folder / "clips").mkdir()
    clips = [Path(shutil.copy(clip, folder / f"clips/{n:03d}.mp4")) for n in range(count)]
    ways: dict[str, Callable[[Path], float]] = {LOCAL: partial(local, clips)}
    for processes in range(1, physical_cores() + 1):
        ways[f"by hand, processes: {processes}"] = partial(by_hand, clips, processes)
    found: dict[str, list[float]] = {title: [] for title in ways}
    for _ in range(rounds):
        for title, run in ways.items():
            with tempfile.TemporaryDirectory(dir=folder) as out:
                found[title].append(run(Path(out, "run")))
    return found


def batch(
    files: int, clips: int, frames: int, rounds: int, runners: Sequence[str], out: Path
) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        files: for the overhead.
        clips: for the comparison; 0 leaves it out.
        frames: in each clip.
        rounds: of the comparison.
        runners: for the overhead.
        out: folder of the result.
    """
    tables: list[Table] = []
    figures: dict[str, Any] = {}
    costs = {}
    for runner in runners:
        with tempfile.TemporaryDirectory() as folder:
            costs[runner] = overhead(files, Path(folder), runner)
    figures["overhead_ms"] = costs
    rows: list[list[str | float | int | None]] = [
        [f"runner={name}", cost["first"], cost["again"]] for name, cost in costs.items()
    ]
    title = f"Time per file besides its job, {files} files"
    note = "ms; the second column is the same command again, when all files are complete"
    tables.append(Table(title, ["", "ms", "again, ms"], rows, note))
    if clips:
        WORK.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            durations = compared(clips, frames, rounds, Path(folder).absolute())
        figures["durations_s"] = durations
        tables.append(_comparison(durations, clips, frames))
    made: dict[str, Any] = result(
        "batch",
        "Many files",
        f"python -m benchmarks.suite.batch --files {files} --clips {clips} --rounds {rounds}",
        tables,
        settings={"files": files, "clips": clips, "frames": frames, "rounds": rounds},
        figures=figures,
    )
    save(made, out)
    return made


def _comparison(durations: dict[str, list[float]], clips: int, frames: int) -> Table:
    """Medians, and the ratio to the best processes by hand within a round."""
    best = [min(others) for others in zip(*_by_hand(durations), strict=True)]
    rows: list[list[str | float | int | None]] = []
    for title, found in durations.items():
        ratios = spread(one / other for one, other in zip(found, best, strict=True))
        low_to_high = f"{ratios['low']:.2f} to {ratios['high']:.2f}"
        rows.append([title, spread(found)["median"], ratios["median"], low_to_high])
    title = f"{clips} clips of {frames} frames"
    columns = ["", "s", "ratio", "low to high"]
    return Table(title, columns, rows, "ratios are to the fastest processes by hand of a round")


def _by_hand(durations: dict[str, list[float]]) -> list[list[float]]:
    return [found for title, found in durations.items() if title != LOCAL]


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.batch", str(__doc__))
    options.add_argument("--files", type=positive, default=10_000, help="for the time per file")
    options.add_argument(
        "--clips", type=int, default=60, help="for the comparison; 0: leave it out"
    )
    options.add_argument("--frames", type=positive, default=100, help="in each clip")
    options.add_argument("--rounds", type=positive, default=3, help="of the comparison")
    options.add_argument("--runners", nargs="+", default=["local"], help="for the time per file")
    args = options.parse_args()
    setup_logging()
    made = batch(args.files, args.clips, args.frames, args.rounds, args.runners, args.out)
    show(made, console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.batch", main)
