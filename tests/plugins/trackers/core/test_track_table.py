"""The state of all tracks of a stream."""

import numpy as np
import pytest

from vidan_plugins.trackers.core.kalman import BatchedKalman
from vidan_plugins.trackers.core.motion import deepsort_model
from vidan_plugins.trackers.core.track_table import TrackTable

from ..scenes import Blank, found

BOXES = [[100, 100, 150, 200], [400, 100, 450, 200]]


def table_of_two():
    table = TrackTable(BatchedKalman(deepsort_model()))
    table.advance(Blank(0))
    table.start(found(BOXES, [0.9, 0.8], [1, 2]), np.arange(2))
    return table


def test_new_tracks():
    table = table_of_two()
    assert table.ids.tolist() == [1, 2]
    assert table.hits.tolist() == table.age.tolist() == [1, 1]
    assert table.misses.tolist() == [0, 0]
    np.testing.assert_allclose(table.boxes(), BOXES)
    assert table.kalman.velocities.tolist() == [[0] * 4] * 2
    tracks = table.tracks(np.array([False, True]))
    assert (tracks.ids.tolist(), tracks.classes.tolist()) == ([2], [2])


def test_misses_count_updates_in_the_table_and_frames_in_tracks():
    table = table_of_two()
    table.advance(Blank(5))
    table.match(np.array([0]), found([BOXES[0]]), np.array([0]))
    assert (table.misses.tolist(), table.detection.tolist()) == ([0, 1], [0, -1])
    assert table.unmatched_s.tolist() == pytest.approx([0, 5 / 30])
    assert table.tracks(np.ones(2, np.bool_)).misses.tolist() == [0, 5]


def test_ids_are_never_reused():
    table = table_of_two()
    table.keep(np.array([True, False]))
    table.start(found([BOXES[1]]), np.array([0]))
    assert table.ids.tolist() == [1, 3]


def test_coasting_returns_the_reported_tracks_only():
    table = table_of_two()
    table.tracks(np.array([True, False]))
    assert table.coast(Blank(3)).ids.tolist() == [1]
