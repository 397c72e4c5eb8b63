"""Heads of the ground truth that are covered or not."""

import numpy as np
import pytest

import vidan
from benchmarks.suite.uncovered_heads import heads, uncovered

TRUTH = """\
1,1,100,100,40,100,1,1,1
1,2,300,100,40,100,1,1,0.2
1,3,300,100,40,100,0,1,1
1,4,-50,100,40,100,1,1,1
2,1,102,100,40,100,1,1,0.25
"""


@pytest.fixture
def truth(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text(TRUTH)
    return path


def test_visible_heads_in_the_image_by_frame(truth):
    found = heads(truth, (640, 480))
    assert {index: points.tolist() for index, points in found.items()} == {
        0: [[120, 110]],
        1: [[122, 110]],
    }


def test_heads_outside_of_all_regions_are_counted(tmp_path):
    vidan.run(
        ["source=synthetic", "source.width=640", "source.height=480", "source.frames=2"],
        detector="mot",
        **{"detector.path": str(_detections(tmp_path, 600)), "run_dir": str(tmp_path / "run")},
        sink="[video]",
        **{"sink.video.path": str(tmp_path / "street.mp4"), "drawing": "none", "scene": "none"},
    )
    points = {0: np.array([[120.0, 110.0]]), 1: np.array([[122.0, 110.0], [400.0, 300.0]])}
    for left, expected in ((100, 1), (500, 3)):
        chosen = {"detector": "mot", "detector.path": str(_detections(tmp_path, left))}
        assert uncovered(tmp_path / "street.mp4", points, chosen) == expected


def _detections(folder, left):
    path = folder / f"{left}.txt"
    path.write_text("".join(f"{n},-1,{left},100,40,100,1,-1,-1,-1\n" for n in (1, 2)))
    return path
