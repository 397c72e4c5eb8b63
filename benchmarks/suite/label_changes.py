"""How often labels change: `python -m benchmarks.suite.label_changes <video>`.

Runs the default detector (or `--model`) and some trackers over a video, and compares, for each
track, the labels of its matched detections with the label of the track, which is a vote over
them. A change is an update whose label differs from that of the previous update of the same
track; changes to and from `uncertain` count too.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.interfaces import Detector, Source, Tracker
from vidan.support.program import run_program
from vidan.types import Detections, Tracks

from ..inputs import model, parser
from ..report import Table, result, save, show

History = Mapping[int, Sequence[int]]
"""The classes of each track, one per update."""

TRACKERS = ("steady", "sort", "bytetrack")
MIN_UPDATES = 2
"""Updates after which the label of a track can have changed."""


def histories(updates: Iterable[tuple[Detections, Tracks]]) -> tuple[History, History]:
    """Classes by track, in updates with a match: of the detections, and of the track."""
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for detections, tracks in updates:
        matched = tracks[tracks.detection >= 0]
        found = detections.classes[matched.detection]
        for identity, own, voted in zip(matched.ids.tolist(), found, matched.classes, strict=True):
            before[identity].append(int(own))
            after[identity].append(int(voted))
    return before, after


def changes(history: History) -> int:
    """How often a label differs from that of the previous update."""
    return sum(a != b for classes in history.values() for a, b in itertools.pairwise(classes))


def track(video: Path, network: Path, tracker: str) -> list[tuple[Detections, Tracks]]:
    """Detections and tracks of each frame of a video."""
    source: Source = build("source", {"name": "file", "path": str(video)})
    detector: Detector = build("detector", {"name": "onnx", "model": str(network)})
    tracks: Tracker = build("tracker", {"name": tracker})
    updates = []
    with closing(source), closing(detector):
        for frame in source:
            (found,) = detector.detect([frame])
            updates.append((found, tracks.update(frame, found)))
    return updates


def row(title: str, updates: Iterable[tuple[Detections, Tracks]]) -> list[str | float | int | None]:
    """One row of the table."""
    before, after = histories(updates)
    tracks = sum(len(classes) >= MIN_UPDATES for classes in before.values())
    total = sum(map(len, after.values()))
    unsure = sum(c == -1 for classes in after.values() for c in classes)
    one, other = changes(before), changes(after)
    per_track = [n / max(tracks, 1) for n in (one, other)]
    return [title, tracks, one, other, *per_track, 100 * unsure / max(total, 1)]


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.label_changes", str(__doc__))
    options.add_argument("video", type=Path)
    options.add_argument("--model", type=Path, default=model(), help="ONNX file of the detector")
    options.add_argument("--trackers", nargs="+", default=TRACKERS)
    args = options.parse_args()
    rows = [row(name, track(args.video, args.model, name)) for name in args.trackers]
    columns = [
        "tracker",
        "tracks",
        "changes before",
        "after",
        "per track before",
        "after",
        "% uncertain",
    ]
    table = Table(f"Changes of label, {args.video.name}", columns, rows)
    command = f"python -m benchmarks.suite.label_changes {args.video.name}"
    kept = result("label_changes", "Label changes, before and after the vote", command, [table])
    show(kept, console())
    save(kept, args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.label_changes", main)
