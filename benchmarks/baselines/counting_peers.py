"""Time line and zone counting of supervision; benchmarks.suite.analytics runs this.

    python benchmarks/baselines/counting_peers.py <tracks.npz>

The file holds `boxes` (N, 4) float32 xyxy, `ids` (N,) int64, `frames` (N,) int64 ascending,
`count`, `lines` (L, 2, 2) and `zones` (Z, K, 2), px. Prints the seconds of each frame as a JSON
list.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import supervision as sv


def counters(scene: Any) -> list[Any]:
    """A LineZone for each line and a PolygonZone for each zone; the anchor is the bottom center."""
    anchor = [sv.Position.BOTTOM_CENTER]
    lines = [
        sv.LineZone(start=sv.Point(*start), end=sv.Point(*end), triggering_anchors=anchor)
        for start, end in scene["lines"].tolist()
    ]
    zones = [
        sv.PolygonZone(polygon=zone.astype(np.int64), triggering_anchors=anchor)
        for zone in scene["zones"]
    ]
    return [*lines, *zones]


def main() -> int:
    """Run from the command line."""
    scene = np.load(sys.argv[1])
    cuts = np.searchsorted(scene["frames"], np.arange(1, int(scene["count"])))
    made = counters(scene)
    seconds = []
    for boxes, ids in zip(
        np.split(scene["boxes"], cuts), np.split(scene["ids"], cuts), strict=True
    ):
        tracks = sv.Detections(xyxy=boxes, class_id=np.zeros(len(boxes), int), tracker_id=ids)
        began = time.perf_counter()
        for counter in made:
            counter.trigger(tracks)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
