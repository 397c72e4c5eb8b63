"""The score from which on detections are objects is learned from their repetition."""

import numpy as np
import pytest

from vidan_plugins.trackers.core.score_level import MIN_LEVEL, ScoreLevel

UPDATES = 200


def level(score, repeated, *, threshold=0.6, count=5):
    """The level after detections with a score, of which a fraction stay where they are."""
    rng = np.random.default_rng(0)
    found = ScoreLevel(threshold)
    for _ in range(UPDATES):
        x = 100.0 * np.arange(count) + np.where(rng.random(count) < repeated, 0, 50)
        boxes = np.stack([x, np.zeros(count), x + 40, np.full(count, 80.0)], axis=1)
        found.add(boxes, np.full(count, score, np.float32))
    return found.value


def test_detections_that_are_repeated_lower_the_level_to_theirs():
    assert level(0.56, 1.0) == pytest.approx(0.55)


@pytest.mark.parametrize("score", [0.25, 0.4])
def test_the_level_is_lowered_through_scores_that_do_not_occur(score):
    assert level(score, 1.0) <= score


def test_flickering_detections_change_nothing():
    assert level(0.56, 0.8) == 0.6


def test_high_scores_change_nothing():
    assert level(0.9, 1.0) == pytest.approx(0.6)


def test_the_level_has_a_lower_bound():
    assert level(0.05, 1.0) >= MIN_LEVEL - 1e-9
    assert level(0.1, 1.0, threshold=0.15) == 0.15


def test_nothing_changes_without_detections():
    found = ScoreLevel(0.6)
    for _ in range(3):
        found.add(np.zeros((0, 4)), np.zeros(0, np.float32))
    assert found.value == 0.6
