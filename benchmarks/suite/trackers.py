"""Trackers alone, ms per frame, compared with other libraries.

On one core: 10, 50 and 200 people who walk through a 1080p image with 5 % of their boxes missing,
the same boxes for all trackers; and the public detections of MOT17 if VIDAN_DATA has them. Other
libraries run in an environment of their own, see benchmarks/baselines/requirements-trackers.txt.

    python -m benchmarks.suite.trackers --peers .venv-trackers/bin/python
    python -m benchmarks.suite.trackers --long 200000      # memory over a long run, no table
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.errors import VidanError
from vidan.support.program import positive, run_program
from vidan.types import Detections, Frame, Image
from vidan_plugins.tools.bench.results import Cell

from ..inputs import parser
from ..report import Table, result, save, show

WIDTH, HEIGHT, RATE = 1920, 1080, 30.0
COUNTS = (10, 50, 200)
MISS_PROBABILITY = 0.05
FEATURE_SIZE = 128
BURN_IN = 30
"""First frames of a scene, which are not counted."""

OURS: dict[str, dict[str, Any]] = {
    "vidan sort": {"name": "sort"},
    "vidan bytetrack": {"name": "bytetrack"},
    "vidan deepsort": {"name": "deepsort"},
    "vidan steady": {"name": "steady"},
}
PEERS = ("trackers SORT", "trackers ByteTrack", "trackers OC-SORT", "norfair", "deep-sort-realtime")
NEED_FEATURES = ("vidan deepsort", "deep-sort-realtime")
"""Trackers that need appearance features, which public detections do not have."""

REAL = ("MOT17-04-SDP", "MOT17-05-FRCNN", "MOT17-09-DPM")
PEERS_PYTHON = ".venv-trackers/bin/python"
"""Interpreter of the environment in benchmarks/baselines/requirements-trackers.txt."""

PEER_CODE = Path(__file__).parents[1] / "baselines/tracker_peers.py"
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Detections to track.

    Attributes:
        boxes: (N, 5) float32, x1 y1 x2 y2 in px and the score.
        frames: (N,) int64, index of the frame of each box, ascending from 0.
        features: (N, D) float32, unit length; D is 0 without features.
        count: number of frames.
    """

    boxes: Floats
    frames: npt.NDArray[np.int64]
    features: Floats
    count: int

    def detections(self) -> Iterator[Detections]:
        """The detections of each frame in order."""
        cuts = np.searchsorted(self.frames, np.arange(1, self.count))
        parts = zip(np.split(self.boxes, cuts), np.split(self.features, cuts), strict=True)
        for boxes, features in parts:
            yield Detections(
                np.ascontiguousarray(boxes[:, :4]),
                np.ascontiguousarray(boxes[:, 4]),
                np.zeros(len(boxes), np.int32),
                features if features.shape[1] else None,
            )


class Blank(Frame):
    """A 1080p frame whose pixels are not used."""

    __slots__ = ()

    def __init__(self, index: int) -> None:
        super().__init__(
            index=index,
            time=index / RATE,
            captured=0.0,
            stream="benchmark",
            width=WIDTH,
            height=HEIGHT,
        )

    def _make_rgb(self) -> Image:
        return self.resized(WIDTH, HEIGHT)

    def resized(self, width: int, height: int) -> Image:
        """A black image."""
        return np.zeros((height, width, 3), np.uint8)


def walkers(people: int, frames: int, seed: int = 0) -> Scene:
    """People who walk straight ahead, turn around at the border, and are sometimes missed."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(80, 240, people)
    size = np.stack([0.4 * height, height], axis=1)
    limit = (WIDTH, HEIGHT) - size
    position = rng.uniform(0, 1, (people, 2)) * limit
    velocity = rng.normal(0, 0.01, (people, 2)) * height[:, None]
    appearance = rng.normal(0, 1, (people, FEATURE_SIZE))
    boxes, at, features = [], [], []
    for index in range(frames):
        position = position + velocity
        velocity = np.where((position < 0) | (position > limit), -velocity, velocity)
        position = np.clip(position, 0, limit)
        seen = rng.random(people) >= MISS_PROBABILITY
        corner = position[seen] + rng.normal(0, 0.01, (seen.sum(), 2)) * size[seen]
        boxes.append(
            np.hstack([corner, corner + size[seen], rng.uniform(0.7, 1, (len(corner), 1))])
        )
        embedding = appearance[seen] + rng.normal(0, 0.2, (len(corner), FEATURE_SIZE))
        features.append(embedding / np.linalg.norm(embedding, axis=1, keepdims=True))
        at.append(np.full(len(corner), index))
    rows = np.concatenate(boxes).astype(np.float32)
    return Scene(rows, np.concatenate(at), np.concatenate(features).astype(np.float32), frames)


def real() -> dict[str, Scene]:
    """Public detections of MOT17 by sequence; empty if VIDAN_DATA does not have them."""
    root = Path(os.environ.get("VIDAN_DATA", ".")) / "mot17"
    return {n: _read(p) for n in REAL if (p := root / n / "det" / "det.txt").is_file()}


def _read(path: Path) -> Scene:
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[rows[:, 0].argsort(kind="stable")]
    rows[:, 4:6] += rows[:, 2:4]
    if rows[:, 6].max() > 1 or rows[:, 6].min() < 0:  # DPM's scores are not probabilities
        rows[:, 6] = 1 / (1 + np.exp(-rows[:, 6]))
    frames = rows[:, 0].astype(np.int64) - 1
    empty = np.zeros((len(rows), 0), np.float32)
    return Scene(rows[:, 2:7].astype(np.float32), frames, empty, int(frames.max()) + 1)


def ours(scene: Scene, tracker: Mapping[str, Any]) -> list[float]:
    """Seconds per frame of a tracker of vidan."""
    made = build("tracker", tracker)
    seconds = []
    for index, found in enumerate(scene.detections()):
        frame = Blank(index)
        began = time.perf_counter()
        made.update(frame, found)
        seconds.append(time.perf_counter() - began)
    return seconds


def in_environment(python: Path, code: Path, *arguments: str) -> list[float]:
    """Seconds per frame that a program prints in the environment of other libraries.

    Raises:
        VidanError: it failed; with its last line of output.
    """
    command = [str(python), "-I", str(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        named = " ".join([code.name, *arguments[1:]])
        raise VidanError(f"{named}: {last}; see benchmarks/baselines/requirements-trackers.txt")
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def median(seconds: list[float]) -> float:
    """Median after the burn-in, ms."""
    return 1e3 * statistics.median(seconds[BURN_IN:])


def measure(scenes: Mapping[str, Scene], python: Path | None) -> dict[str, dict[str, float | None]]:
    """Median ms per frame by tracker and scene; the trackers take turns on each scene."""
    peers = PEERS if python else ()
    found: dict[str, dict[str, float | None]] = {name: {} for name in (*OURS, *peers)}
    with tempfile.TemporaryDirectory() as folder:
        for title, scene in scenes.items():
            path = Path(folder) / "scene.npz"
            np.savez(path, **vars(scene))
            for name, times in found.items():
                if name in NEED_FEATURES and not scene.features.shape[1]:
                    times[title] = None
                elif name in OURS:
                    times[title] = median(ours(scene, OURS[name]))
                elif python:
                    times[title] = median(in_environment(python, PEER_CODE, str(path), name))
    return found


def table(found: Mapping[str, Mapping[str, float | None]], scenes: Mapping[str, Scene]) -> Table:
    """Times, then ratios to vidan's sort."""
    rows: list[list[Cell]] = []
    for name, times in found.items():
        rows.append([name, *times.values()])
    for name, times in found.items():
        base = found["vidan sort"]
        ratios = [None if t is None else t / (base[k] or 1.0) for k, t in times.items()]
        rows.append([f"{name} / vidan sort", *ratios])
    return Table("Trackers on one core, median ms per frame", ["", *scenes], rows)


def memory(updates: int, tracker: Mapping[str, Any]) -> list[tuple[int, float]]:
    """Peak memory after each tenth of a long run with people who come and go: (update, MiB)."""
    made, known = build("tracker", tracker), []
    rng = np.random.default_rng(0)
    scene = list(walkers(20, 300).detections())
    for index in range(updates):
        found = scene[index % len(scene)]
        made.update(Blank(index), found[rng.random(len(found)) > 0.1])
        if (index + 1) % max(updates // 10, 1) == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            known.append((index + 1, peak))
    return known


def main() -> int:
    """Run from the command line."""
    made = parser("benchmarks.suite.trackers", str(__doc__))
    made.add_argument("--peers", type=Path, help="Python interpreter of the peers' environment")
    made.add_argument("--frames", type=positive, default=300, help="of each synthetic scene")
    made.add_argument("--long", type=positive, help="updates of a long run that measures memory")
    args = made.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if args.long:
        for name, tracker in OURS.items():
            for update, peak in memory(args.long, tracker):
                print(f"{name}: {update} updates, peak memory {peak:.1f} MiB")
        return 0
    scenes = {str(n): walkers(n, args.frames) for n in COUNTS} | real()
    found = measure(scenes, args.peers)
    command = f"python -m benchmarks.suite.trackers --frames {args.frames}"
    if args.peers:
        command += f" --peers {PEERS_PYTHON}"
    kept = result("trackers", "Trackers alone", command, [table(found, scenes)], figures=found)
    show(kept, console())
    save(kept, args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.trackers", main)
