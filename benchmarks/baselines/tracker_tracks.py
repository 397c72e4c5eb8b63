"""Track the boxes of a det.txt with another library, for `vidan eval tracking results=<folder>`.

    python benchmarks/baselines/tracker_tracks.py <det.txt> <name> <folder/seq.txt> [class]

Runs in the environment of requirements-trackers.txt. Of several classes (column 8), only one is
tracked. The tracker has its defaults.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import supervision
import trackers


def main() -> None:
    """Write the tracks of a trackers' class, such as SORTTracker."""
    path, name, out, *wanted = sys.argv[1:]
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    if wanted:
        rows = rows[rows[:, 7] == int(wanted[0])]
    tracker = getattr(trackers, name)()
    lines = []
    for frame in range(1, int(rows[:, 0].max()) + 1):
        own = rows[rows[:, 0] == frame]
        found = tracker.update(
            supervision.Detections(
                xyxy=np.concatenate([own[:, 2:4], own[:, 2:4] + own[:, 4:6]], axis=1),
                confidence=own[:, 6],
                class_id=np.zeros(len(own), int),
            )
        )
        if found.tracker_id is None:
            continue
        for (x1, y1, x2, y2), track in zip(found.xyxy.tolist(), found.tracker_id, strict=True):
            if track >= 0:  # -1: not confirmed
                lines.append(f"{frame},{track + 1},{x1},{y1},{x2 - x1},{y2 - y1},1,-1,-1,-1\n")
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_text("".join(lines))


if __name__ == "__main__":
    main()
