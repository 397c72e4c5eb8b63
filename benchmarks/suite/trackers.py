"""`python -m benchmarks.suite.trackers`: trackers alone, ms per frame, beside other libraries.

On one core: 10, 50 and 200 people who walk through a 1080p image, 5 % of boxes missing, the
same boxes for all; and, where VIDAN_DATA has them, MOT17's real detections. The others run in
an environment of their own; benchmarks/baselines/requirements-trackers.txt says how it is made.

    python -m benchmarks.suite.trackers --peers .venv-trackers/bin/python
    python -m benchmarks.suite.trackers --long 200000      # is memory flat? no table
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
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
from vidan.types import Detections, Frame, Image
from vidan_plugins.tools.bench.results import Cell

from ..inputs import parser
from ..report import Table, result, save, show

WIDTH, HEIGHT, RATE = 1920, 1080, 30.0
COUNTS = (10, 50, 200)
MISSED = 0.05
FEATURES = 128
BURN_IN = 30
"""First frames of a scene that do not count."""

OURS: dict[str, dict[str, Any]] = {
    "vidan sort": {"name": "sort"},
    "vidan bytetrack": {"name": "bytetrack"},
    "vidan deepsort": {"name": "deepsort"},
    "vidan steady": {"name": "steady"},
}
PEERS = ("trackers SORT", "trackers ByteTrack", "trackers OC-SORT", "norfair", "deep-sort-realtime")
DESCRIBED = ("vidan deepsort", "deep-sort-realtime")
"""Those that need features, which public detections have not."""

REAL = ("MOT17-04-SDP", "MOT17-05-FRCNN", "MOT17-09-DPM")
PEERS_PYTHON = ".venv-trackers/bin/python"
"""Where benchmarks/baselines/requirements-trackers.txt puts the peers' environment."""

PEER_CODE = Path(__file__).parents[1] / "baselines/tracker_peers.py"
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Boxes to follow.

    Attributes:
        boxes: (N,5) float32, x1 y1 x2 y2 in px and the score.
        frames: (N,) int64, rising, from 0.
        features: (N,D) float32, of length 1; D is 0 where there are none.
        count: how many frames.
    """

    boxes: Floats
    frames: npt.NDArray[np.int64]
    features: Floats
    count: int

    def looks(self) -> Iterator[Detections]:
        """The detections of each frame."""
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
    """A 1080p frame whose image nobody needs."""

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
    """People who walk straight on, turn back at the borders, and are missed now and then."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(80, 240, people)
    size = np.stack([0.4 * height, height], axis=1)
    room = (WIDTH, HEIGHT) - size
    where = rng.uniform(0, 1, (people, 2)) * room
    pace = rng.normal(0, 0.01, (people, 2)) * height[:, None]
    looks = rng.normal(0, 1, (people, FEATURES))
    boxes, at, features = [], [], []
    for index in range(frames):
        where = where + pace
        pace = np.where((where < 0) | (where > room), -pace, pace)
        where = np.clip(where, 0, room)
        seen = rng.random(people) >= MISSED
        corner = where[seen] + rng.normal(0, 0.01, (seen.sum(), 2)) * size[seen]
        boxes.append(
            np.hstack([corner, corner + size[seen], rng.uniform(0.7, 1, (len(corner), 1))])
        )
        described = looks[seen] + rng.normal(0, 0.2, (len(corner), FEATURES))
        features.append(described / np.linalg.norm(described, axis=1, keepdims=True))
        at.append(np.full(len(corner), index))
    rows = np.concatenate(boxes).astype(np.float32)
    return Scene(rows, np.concatenate(at), np.concatenate(features).astype(np.float32), frames)


def real() -> dict[str, Scene]:
    """MOT17's public detections, by sequence; none where VIDAN_DATA has none."""
    root = Path(os.environ.get("VIDAN_DATA", ".")) / "mot17"
    return {n: _read(p) for n in REAL if (p := root / n / "det" / "det.txt").is_file()}


def _read(path: Path) -> Scene:
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    rows = rows[rows[:, 0].argsort(kind="stable")]
    rows[:, 4:6] += rows[:, 2:4]
    if rows[:, 6].max() > 1 or rows[:, 6].min() < 0:  # DPM's scores are no probabilities
        rows[:, 6] = 1 / (1 + np.exp(-rows[:, 6]))
    frames = rows[:, 0].astype(np.int64) - 1
    empty = np.zeros((len(rows), 0), np.float32)
    return Scene(rows[:, 2:7].astype(np.float32), frames, empty, int(frames.max()) + 1)


def ours(scene: Scene, tracker: Mapping[str, Any]) -> list[float]:
    """Seconds of each frame of a tracker of vidan."""
    made = build("tracker", tracker)
    seconds = []
    for index, found in enumerate(scene.looks()):
        frame = Blank(index)
        began = time.perf_counter()
        made.update(frame, found)
        seconds.append(time.perf_counter() - began)
    return seconds


def theirs(scene: Path, name: str, python: Path) -> list[float]:
    """Seconds of each frame of another library's tracker.

    Raises:
        VidanError: it failed; says what it said last.
    """
    command = [str(python), "-I", str(PEER_CODE), str(scene), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise VidanError(f"{name}: {said}; see benchmarks/baselines/requirements-trackers.txt")
    return [float(value) for value in json.loads(done.stdout.splitlines()[-1])]


def median(seconds: list[float]) -> float:
    """The median, ms, without the burn-in."""
    return 1e3 * statistics.median(seconds[BURN_IN:])


def measure(scenes: Mapping[str, Scene], python: Path | None) -> dict[str, dict[str, float | None]]:
    """Median ms per frame, by tracker and scene; all trackers in turn on each scene."""
    peers = PEERS if python else ()
    found: dict[str, dict[str, float | None]] = {name: {} for name in (*OURS, *peers)}
    with tempfile.TemporaryDirectory() as folder:
        for title, scene in scenes.items():
            path = Path(folder) / "scene.npz"
            np.savez(path, **vars(scene))
            for name, times in found.items():
                if name in DESCRIBED and not scene.features.shape[1]:
                    times[title] = None
                elif name in OURS:
                    times[title] = median(ours(scene, OURS[name]))
                elif python:
                    times[title] = median(theirs(path, name, python))
    return found


def table(found: Mapping[str, Mapping[str, float | None]], scenes: Mapping[str, Scene]) -> Table:
    """Times, and below each how many times vidan's sort that is."""
    rows: list[list[Cell]] = []
    for name, times in found.items():
        rows.append([name, *times.values()])
    for name, times in found.items():
        base = found["vidan sort"]
        ratios = [None if t is None else t / (base[k] or 1.0) for k, t in times.items()]
        rows.append([f"{name} / vidan sort", *ratios])
    return Table("Trackers, ms per frame, median, one core", ["", *scenes], rows)


def memory(looks: int, tracker: Mapping[str, Any]) -> list[tuple[int, float]]:
    """The most memory so far at tenths of a long run of people who come and go: (look, MiB)."""
    made, known = build("tracker", tracker), []
    rng = np.random.default_rng(0)
    scene = list(walkers(20, 300).looks())
    for index in range(looks):
        found = scene[index % len(scene)]
        made.update(Blank(index), found[rng.random(len(found)) > 0.1])
        if (index + 1) % max(looks // 10, 1) == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            known.append((index + 1, peak))
    return known


def main() -> int:
    """Run from the command line."""
    made = parser("benchmarks.suite.trackers", str(__doc__))
    made.add_argument("--peers", type=Path, help="Python of the peers' environment")
    made.add_argument("--frames", type=int, default=300, help="of each drawn scene")
    made.add_argument("--long", type=int, help="looks of a long run, instead of the table")
    args = made.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if args.long:
        for name, tracker in OURS.items():
            for look, peak in memory(args.long, tracker):
                print(f"{name}: {look} looks, at most {peak:.1f} MiB so far")
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
    sys.exit(main())
