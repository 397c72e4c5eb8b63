"""Analyzers alone, ms per frame, compared with supervision.

On one core: 4 lines and 4 zones over 50 people who walk through a 1080p image with 5 % of their
boxes missing, the same tracks for all. supervision runs in an environment that has it, such as
that of benchmarks/baselines/requirements-trackers.txt, whose trackers depend on it.

    python -m benchmarks.suite.analytics --peers .venv-trackers/bin/python
    python -m benchmarks.suite.analytics --long 200000     # memory over a long run, no table
"""

from __future__ import annotations

import gc
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.cli.terminal import console
from vidan.config.build import BuildContext, build
from vidan.scene import SceneContext
from vidan.support.program import positive, run_program
from vidan.types import Detections, Result, Tracks

from ..inputs import parser
from ..report import Table, result, save, show
from .trackers import HEIGHT, MISS_PROBABILITY, PEERS_PYTHON, WIDTH, Blank, in_environment, median

OBJECTS = 50
LIMIT_MS = 0.1
"""What lines and zones together may take per frame, ms."""

PEER_CODE = Path(__file__).parents[1] / "baselines/counting_peers.py"

LINES = (
    ((0.25, 0.0), (0.25, 1.0)),
    ((0.5, 0.1), (0.5, 0.9)),
    ((0.1, 0.5), (0.9, 0.55)),
    ((0.6, 0.2), (0.95, 0.8)),
)
ZONES = (
    ((0.05, 0.1), (0.4, 0.1), (0.4, 0.6), (0.05, 0.6)),
    ((0.5, 0.1), (0.9, 0.1), (0.9, 0.5), (0.5, 0.5)),
    ((0.3, 0.6), (0.7, 0.65), (0.65, 0.95), (0.35, 0.95)),
    ((0.7, 0.6), (0.95, 0.6), (0.95, 0.95), (0.75, 0.9)),
)
ANALYZERS: dict[str, tuple[str, ...]] = {
    "vidan lines": ("lines",),
    "vidan zones": ("zones",),
    "vidan lines + zones": ("lines", "zones"),
}


@dataclass(frozen=True)
class Walk:
    """Tracks of people who walk.

    Attributes:
        boxes: (N,4) float32, xyxy, px.
        ids: (N,) int64.
        frames: (N,) int64, index of the frame of each box, ascending from 0.
        count: number of frames.
    """

    boxes: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int64]
    frames: npt.NDArray[np.int64]
    count: int

    def results(self) -> Iterator[Result]:
        """The result of each frame in order."""
        cuts = np.searchsorted(self.frames, np.arange(1, self.count))
        parts = zip(np.split(self.boxes, cuts), np.split(self.ids, cuts), strict=True)
        for index, (boxes, ids) in enumerate(parts):
            yield Result(Blank(index), Detections.empty(), tracks(boxes, ids), ("person",))


def renamed(given: Result, index: int, add: int) -> Result:
    """The same tracks in another frame, their ids greater by a number."""
    moved = tracks(given.tracks.boxes, given.tracks.ids + add)
    return Result(Blank(index), given.detections, moved, given.labels)


def tracks(boxes: npt.NDArray[np.float32], ids: npt.NDArray[np.int64]) -> Tracks:
    """Tracks of class 0 that were all matched."""
    zeros = np.zeros(len(ids), np.int32)
    return Tracks(ids, boxes, np.full(len(ids), 0.9, np.float32), zeros, zeros, zeros - 1)


def walk(people: int, frames: int, seed: int = 0, lifetime: int | None = None) -> Walk:
    """People who walk straight ahead, turn around at the border, and are sometimes missed.

    Args:
        people: in each frame.
        frames: number of frames.
        seed: of the random numbers.
        lifetime: frames after which a person gets another id; None for never.
    """
    rng = np.random.default_rng(seed)
    height = rng.uniform(80, 240, people)
    size = np.stack([0.4 * height, height], axis=1)
    limit = (WIDTH, HEIGHT) - size
    position = rng.uniform(0, 1, (people, 2)) * limit
    velocity = rng.normal(0, 0.01, (people, 2)) * height[:, None]
    began = rng.integers(0, lifetime or 1, people)
    boxes, ids, at = [], [], []
    for index in range(frames):
        position = position + velocity
        velocity = np.where((position < 0) | (position > limit), -velocity, velocity)
        position = np.clip(position, 0, limit)
        seen = rng.random(people) >= MISS_PROBABILITY
        corner = position[seen] + rng.normal(0, 0.01, (seen.sum(), 2)) * size[seen]
        boxes.append(np.hstack([corner, corner + size[seen]]))
        life = 0 if lifetime is None else (index + began) // lifetime
        ids.append((1 + np.arange(people) + people * life)[seen])
        at.append(np.full(len(corner), index))
    return Walk(
        np.concatenate(boxes).astype(np.float32),
        np.concatenate(ids).astype(np.int64),
        np.concatenate(at),
        frames,
    )


def analyzers(names: tuple[str, ...]) -> list[Any]:
    """Analyzers of the benchmark's scene."""
    scene: dict[str, Any] = {
        "lines": {f"line{n}": {"from": list(a), "to": list(b)} for n, (a, b) in enumerate(LINES)},
        "zones": {f"zone{n}": {"polygon": list(map(list, z))} for n, z in enumerate(ZONES)},
    }
    known = SceneContext(scene, ("person",), (WIDTH, HEIGHT))
    context = BuildContext(workers=1, scene=known, shared={})
    return [build("analytics", {"name": name}, context=context) for name in names]


def update(made: list[Any], given: Result) -> int:
    """What a run does for each frame; returns the number of events."""
    events = 0
    for analyzer in made:
        events += len(analyzer.update(given))
        analyzer.measures()
    return events


def ours(given: list[Result], names: tuple[str, ...]) -> list[float]:
    """Seconds per frame of analyzers of vidan."""
    made = analyzers(names)
    seconds = []
    for one in given:
        began = time.perf_counter()
        update(made, one)
        seconds.append(time.perf_counter() - began)
    return seconds


def measure(people: Walk, python: Path | None) -> dict[str, float]:
    """Median ms per frame by analyzers."""
    given = list(people.results())
    found = {title: median(ours(given, names)) for title, names in ANALYZERS.items()}
    if python is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tracks.npz"
            scale = np.array([WIDTH, HEIGHT])
            shapes = {"lines": np.array(LINES) * scale, "zones": np.array(ZONES) * scale}
            np.savez(path, **vars(people), **shapes)
            seconds = in_environment(python, PEER_CODE, str(path))
        found["supervision LineZone + PolygonZone"] = median(seconds)
    return found


def table(found: Mapping[str, float]) -> Table:
    """Times, and ratios to all of vidan."""
    base = found["vidan lines + zones"]
    rows = [[name, ms, ms / base] for name, ms in found.items()]
    return Table(
        f"4 lines and 4 zones over {OBJECTS} tracks on one core",
        ["", "median ms per frame", "/ vidan lines + zones"],
        rows,
    )


def memory(updates: int) -> Iterator[tuple[int, float]]:
    """Peak memory after each tenth of a long run whose ids come and go: (update, MiB)."""
    made, people = analyzers(("lines", "zones")), walk(OBJECTS, 900, lifetime=300)
    given = list(people.results())
    for index in range(updates):
        lap, n = divmod(index, len(given))
        update(made, renamed(given[n], index, lap * int(people.ids.max())))
        if (index + 1) % max(updates // 10, 1) == 0:
            gc.collect()
            yield index + 1, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run from the command line."""
    made = parser("benchmarks.suite.analytics", str(__doc__))
    made.add_argument("--peers", type=Path, help="Python interpreter that has supervision")
    made.add_argument("--frames", type=positive, default=1500, help="of the synthetic tracks")
    made.add_argument("--long", type=positive, help="frames of a long run that measures memory")
    args = made.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if args.long:
        for index, peak in memory(args.long):
            print(f"{index} frames, peak memory {peak:.1f} MiB")
        return 0
    found = measure(walk(OBJECTS, args.frames), args.peers)
    command = f"python -m benchmarks.suite.analytics --frames {args.frames}"
    if args.peers:
        command += f" --peers {PEERS_PYTHON}"
    kept = result("analytics", "Analyzers alone", command, [table(found)], figures=found)
    show(kept, console())
    save(kept, args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.analytics", main)
