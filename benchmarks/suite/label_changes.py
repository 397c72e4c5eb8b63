"""`python -m benchmarks.suite.label_changes <video>`: how often labels change, before and after the vote.

Runs the shipped detector (or `--model`) and the default tracker over a video, and compares,
for each track, the labels of its matched detections with the labels of the track itself,
which are a vote. A change is a look whose label differs from that of the look before, of the
same track; to `uncertain` and back counts too.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.interfaces import Detector, Source, Tracker
from vidan.types import Detections, Tracks

from ..inputs import model, parser
from ..report import Table, result, save, show

Seen = Mapping[int, Sequence[int]]
"""The classes of each track, look by look."""

TRACKERS = ("steady", "sort", "bytetrack")
LEAST = 2
"""Looks of a track that can change its label."""


def histories(looks: Iterable[tuple[Detections, Tracks]]) -> tuple[Seen, Seen]:
    """Classes by track, in looks with a match: those of the detections, and of the track."""
    before: dict[int, list[int]] = defaultdict(list)
    after: dict[int, list[int]] = defaultdict(list)
    for detections, tracks in looks:
        matched = tracks[tracks.detection >= 0]
        found = detections.classes[matched.detection]
        for identity, own, voted in zip(matched.ids.tolist(), found, matched.classes, strict=True):
            before[identity].append(int(own))
            after[identity].append(int(voted))
    return before, after


def changes(seen: Seen) -> int:
    """How often a label differs from that of the look before."""
    return sum(a != b for classes in seen.values() for a, b in itertools.pairwise(classes))


def follow(video: Path, network: Path, tracker: str) -> list[tuple[Detections, Tracks]]:
    """What is found and followed in each frame of a video."""
    source: Source = build("source", {"name": "file", "path": str(video)})
    detector: Detector = build("detector", {"name": "onnx", "model": str(network)})
    made: Tracker = build("tracker", {"name": tracker})
    looks = []
    with closing(source), closing(detector):
        for frame in source:
            (found,) = detector.detect([frame])
            looks.append((found, made.update(frame, found)))
    return looks


def row(title: str, looks: Iterable[tuple[Detections, Tracks]]) -> list[str | float | int | None]:
    """A row of the table."""
    before, after = histories(looks)
    tracks = sum(len(classes) >= LEAST for classes in before.values())
    total = sum(map(len, after.values()))
    unsure = sum(c == -1 for classes in after.values() for c in classes)
    one, other = changes(before), changes(after)
    per_track = [n / max(tracks, 1) for n in (one, other)]
    return [title, tracks, one, other, *per_track, 100 * unsure / max(total, 1)]


def main() -> int:
    """Run from the command line."""
    made = parser("benchmarks.suite.label_changes", str(__doc__))
    made.add_argument("video", type=Path)
    made.add_argument("--model", type=Path, default=model(), help="ONNX file of the detector")
    made.add_argument("--trackers", nargs="+", default=TRACKERS)
    args = made.parse_args()
    rows = [row(name, follow(args.video, args.model, name)) for name in args.trackers]
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
    kept = result("labels", "Labels of tracks, before and after the vote", command, [table])
    show(kept, console())
    save(kept, args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
