"""Heads that `images=blur` leaves uncovered: `python -m benchmarks.suite.uncovered_heads`.

Runs the public detections and `detector=people` over the real video, and counts the people of the
ground truth who are at least a quarter visible and whose head is in the image and not pixelated.
The head is the point at a tenth of the height of a person's box, in the middle of its width.
"""

from __future__ import annotations

from pathlib import Path

import vidan
from vidan.cli.terminal import console
from vidan.errors import VidanError
from vidan.runtime.anonymize import AnonymousFrame
from vidan.support.program import run_program
from vidan_plugins.formats.mot import BOX, FRAME, VISIBILITY, Array, read_people

from ..inputs import parser, real_video
from ..report import Table, result, save, show

SEQUENCE = "mot16/MOT16-09"
"""Folder of the ground truth and the public detections, beside that of the video."""

SIZE = 1920, 1080

MIN_VISIBLE = 0.25
HEAD_HEIGHT = 0.1


def heads(truth: Path, size: tuple[int, int]) -> dict[int, Array]:
    """Points (N,2), px, of the heads in each frame of a size, by its index."""
    people = read_people(truth)
    people = people[people[:, VISIBILITY] >= MIN_VISIBLE]
    points = people[:, BOX][:, :2] + people[:, BOX][:, 2:] * (0.5, HEAD_HEIGHT)
    inside = ((points >= 0) & (points < size)).all(axis=1)
    frames = people[inside, FRAME]
    return {int(n) - 1: points[inside][frames == n] for n in set(frames)}


def uncovered(video: Path, points: dict[int, Array], detector: dict[str, str]) -> int:
    """How many heads no region covers in a run over a video.

    Args:
        video: the file.
        points: of the heads, by frame.
        detector: overrides that choose it.
    """
    count = 0
    for each in vidan.track(video, images="blur", scene="none", **detector):
        assert isinstance(each.frame, AnonymousFrame)
        regions = each.frame.regions
        for point in points.get(each.frame.index, ()):
            inside = (regions[:, :2] <= point) & (point < regions[:, 2:4])
            count += not inside.all(axis=1).any()
    return count


def main() -> int:
    """Run from the command line."""
    args = parser("benchmarks.suite.uncovered_heads", str(__doc__)).parse_args()
    video = real_video()
    if video is None:
        raise VidanError("set VIDAN_DATA to the folder that has video/MOT16-09.mp4")
    folder = video.parents[1] / SEQUENCE
    points = heads(folder / "gt/gt.txt", SIZE)
    total = sum(map(len, points.values()))
    detectors = {
        "public detections": {"detector": "mot", "detector.path": str(folder / "det/det.txt")},
        "detector=people": {"detector": "people"},
    }
    counts = {title: uncovered(video, points, chosen) for title, chosen in detectors.items()}
    rows: list[list[str | float | int | None]] = [
        [title, count, total, 100 * count / total] for title, count in counts.items()
    ]
    table = Table("Heads that images=blur leaves uncovered", ["", "uncovered", "heads", "%"], rows)
    command = "python -m benchmarks.suite.uncovered_heads"
    made = result("uncovered_heads", table.title, command, [table], settings={"video": video.name})
    save(made, args.out)
    show(made, console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.uncovered_heads", main)
