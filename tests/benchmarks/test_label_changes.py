"""Label changes, compared with counts by hand."""

import numpy as np
import pytest

from benchmarks.suite.label_changes import changes, histories, row
from vidan.types import Detections, Tracks


def update(own, voted):
    """Two tracks: 1 has a detection of class `own` and the label `voted`; 2 coasts."""
    boxes = np.array([[0, 0, 10, 10]], np.float32)
    detections = Detections(boxes, np.ones(1, np.float32), np.array([own], np.int32))
    return detections, Tracks(
        np.array([1, 2]),
        np.repeat(boxes, 2, axis=0),
        np.ones(2, np.float32),
        np.array([voted, 0], np.int32),
        np.array([0, 3], np.int32),
        np.array([0, -1], np.int32),
    )


UPDATES = [update(0, 0), update(1, 0), update(0, 0), update(1, -1), update(1, 1)]


def test_only_updates_with_a_match_count():
    before, after = histories(UPDATES)
    assert dict(before) == {1: [0, 1, 0, 1, 1]}
    assert dict(after) == {1: [0, 0, 0, -1, 1]}
    assert (changes(before), changes(after)) == (3, 2)


def test_row():
    # One track: 3 changes before the vote, 2 after; uncertain in one update of five.
    assert row("steady", UPDATES) == ["steady", 1, 3, 2, 3.0, 2.0, pytest.approx(20.0)]
    assert row("steady", []) == ["steady", 0, 0, 0, 0.0, 0.0, 0.0]
