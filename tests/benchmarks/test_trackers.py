"""The benchmark of trackers: its scenes, and no growth over long runs."""

import gc
from collections import Counter

import numpy as np
import pytest

from benchmarks.suite import trackers
from vidan.config.build import build

SCENES = {"10": trackers.walkers(10, 40)}


def test_scenes_have_people_with_features_and_some_are_missing():
    scene = trackers.walkers(50, 100)
    assert len(scene.boxes) == pytest.approx(0.95 * 50 * 100, rel=0.02)
    np.testing.assert_allclose(np.linalg.norm(scene.features, axis=1), 1, rtol=1e-5)
    detections = list(scene.detections())
    assert len(detections) == 100
    assert sum(map(len, detections)) == len(scene.boxes)
    assert scene.boxes.min() > -30
    assert scene.boxes.max() < trackers.WIDTH + 30


def test_an_empty_frame_is_an_update_too():
    rows = np.array([[0, 0, 10, 10, 0.5]] * 2, np.float32)
    scene = trackers.Scene(rows, np.array([1, 3]), np.zeros((2, 0), np.float32), 5)
    assert [len(found) for found in scene.detections()] == [0, 1, 0, 1, 0]


def test_the_table_has_times_and_ratios():
    found = trackers.measure(SCENES, None)
    assert list(found) == list(trackers.OURS)
    assert all(times["10"] > 0 for times in found.values())
    rows = {row[0]: row[1] for row in trackers.table(found, SCENES).rows}
    assert rows["vidan sort / vidan sort"] == 1
    assert rows["vidan steady / vidan sort"] > 0


@pytest.mark.parametrize("name", trackers.OURS)
def test_nothing_is_kept_of_tracks_that_ended(name):
    # After people came and went, nothing of them is left, neither in the arrays of the tracker
    # nor as any other object.
    tracker = build("tracker", trackers.OURS[name])
    detections = list(trackers.walkers(10, 40).detections())

    def visit(start):
        for k, found in enumerate(detections):
            tracker.update(trackers.Blank(start + k), found)
        for k in range(40, 140):
            tracker.update(
                trackers.Blank(start + k), detections[0][np.zeros(len(detections[0]), bool)]
            )
        gc.collect()
        return Counter(type(thing).__name__ for thing in gc.get_objects())

    visit(0)
    before = visit(140)
    after = visit(280)
    assert len(tracker.table) == 0
    grown = {k: n - before[k] for k, n in after.items() if n > before[k] + 20}
    assert not grown
