"""Tracks while nothing moves: what the last detection missed is still there."""

import numpy as np

from vidan import Tracks
from vidan.runtime.still_tracks import UPDATES, StillTracks


def tracks(*given):
    """Tracks with an id and a left edge, px, each."""
    n = len(given)
    boxes = np.array([[x, 0, x + 10, 10] for _, x in given], np.float32).reshape(-1, 4)
    zeros, rows = np.zeros(n, np.int32), np.arange(n, dtype=np.int32)
    ids = np.array([number for number, _ in given], np.int64)
    return Tracks(ids, boxes, np.ones(n, np.float32), zeros, zeros, rows)


def known(*updates):
    still = StillTracks()
    for given, moves in updates:
        still.add(tracks(*given), moves=moves)
    return still.tracks()


def test_a_track_that_the_last_updates_missed_is_still_there():
    found = known(([(1, 0), (2, 50)], True), ([(1, 1), (2, 51)], False), ([(1, 2)], False))
    assert found.ids.tolist() == [1, 2]
    assert found.boxes[:, 0].tolist() == [2, 51]
    assert found.detection.tolist() == [0, -1]
    assert found.misses.tolist() == [0, 1]


def test_a_track_from_before_the_last_motion_may_have_left():
    assert known(([(1, 0), (2, 50)], False), ([(1, 0)], True)).ids.tolist() == [1]


def test_a_track_with_another_id_at_the_same_place_replaces_it():
    assert known(([(1, 0)], False), ([(7, 2)], False)).ids.tolist() == [7]


def test_a_track_that_was_missed_often_is_forgotten():
    assert known(([(1, 0)], False), *[([], False)] * (UPDATES - 1)).ids.tolist() == [1]
    assert known(([(1, 0)], False), *[([], False)] * UPDATES).ids.tolist() == []


def test_before_the_first_update_there_are_none():
    assert len(StillTracks().tracks()) == 0
