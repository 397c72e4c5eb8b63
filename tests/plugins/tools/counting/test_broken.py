"""Tracks of the ground truth that are broken on purpose."""

import numpy as np
import pytest

from vidan_plugins.formats.mot import FRAME, ID
from vidan_plugins.tools.counting.broken import MAX_GAP_S, NEAR_GATE_S, broken_tracks
from vidan_plugins.tools.counting.gates import Crossing
from vidan_plugins.tools.counting.truth import Person

RATE, FRAMES = 10, 3000


@pytest.fixture(scope="module")
def broken():
    """Rows and classes of someone who stands still for 300 s, and crosses a gate at 100 s."""
    frames = np.arange(FRAMES)
    boxes = np.tile([100.0, 100.0, 140.0, 200.0], (FRAMES, 1))
    person = Person(7, frames, frames / RATE, boxes, np.ones(FRAMES))
    return broken_tracks([person], [Crossing("a", "in", 100.0, 0.0, 7)], seed=0)


def test_the_id_changes_near_the_gate(broken):
    rows, _ = broken
    assert np.unique(rows[:, ID]).tolist() == [1, 2]
    change = float(rows[rows[:, ID] == 2, FRAME].min() - 1) / RATE
    assert abs(change - 100.0) <= NEAR_GATE_S + MAX_GAP_S  # it may be in a gap


def test_gaps_are_short_and_boxes_are_missing(broken):
    rows, _ = broken
    gaps = np.diff(rows[:, FRAME]) / RATE
    assert 0.1 < gaps.max() <= MAX_GAP_S
    assert 0.8 < len(rows) / FRAMES < 0.95
    assert rows[[0, -1], FRAME].tolist() == [1, FRAMES]


def test_boxes_have_noise_and_labels_flicker(broken):
    rows, classes = broken
    centers = rows[:, 2:4] + rows[:, 4:6] / 2
    assert (centers.std(axis=0) / [40, 100]).tolist() == pytest.approx([0.05, 0.05], abs=0.005)
    assert (rows[:, 4:6].std(axis=0) / [40, 100]).tolist() == pytest.approx([0.05] * 2, abs=0.005)
    assert classes.mean() == pytest.approx(0.2, abs=0.03)
