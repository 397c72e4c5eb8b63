"""The vote over the class of a track."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.trackers.core.label_vote import LabelVote


def after(classes, scores=None):
    """The class of one track after detections of these classes."""
    scores = [1.0] * len(classes) if scores is None else scores
    votes = LabelVote()
    votes.start(np.array(classes[:1], np.int32), np.array(scores[:1], np.float32))
    for c, s in zip(classes[1:], scores[1:], strict=True):
        votes.vote(np.array([0]), np.array([c], np.int32), np.array([s], np.float32))
    return int(votes.classes[0])


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([4], 4),
        ([1, 0], 1),  # one against one: it does not change
        ([1, 0, 0, 0], 0),  # 0 has three of nearly four votes
        ([0] * 20 + [1], 0),
        ([0] * 20 + [1] * 3, 0),  # a short flicker
        ([0] * 100 + [1] * 40, 1),  # a lasting change: older votes decay
        ([0, 1] * 30, 0),  # flickering: held
        ([-1], -1),
        ([-1, 2], 2),
        ([2, -1, -1], 2),  # class -1 does not vote
        ([0, 1, 2, 3], -1),  # no class has a third
    ],
)
def test_the_vote(classes, expected):
    assert after(classes) == expected


def test_votes_are_weighted_by_score():
    assert after([0, 1], [0.1, 0.9]) == 1
    assert after([0, 1], [0.9, 0.1]) == 0
    assert after([3], [0.0]) == 3


def test_votes_stay_with_their_track_when_others_start_and_end():
    votes = LabelVote()
    votes.start(np.array([5, 2, 9], np.int32), np.ones(3, np.float32))
    votes.keep(np.array([True, False, True]))
    votes.start(np.array([7], np.int32), np.ones(1, np.float32))  # between the known classes
    votes.vote(np.array([2, 0]), np.array([7, 5], np.int32), np.ones(2, np.float32))
    assert votes.classes.tolist() == [5, 9, 7]
    assert votes.classes.dtype == np.int32


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.floats(0, 1, width=32)), min_size=1, max_size=60))
def test_the_class_has_votes_or_is_uncertain(votes):
    classes, scores = zip(*votes, strict=True)
    assert after(list(classes), list(scores)) in {-1, *classes}


@given(st.integers(0, 2**31 - 1), st.integers(1, 30))
def test_a_single_class_is_certain(label, times):
    assert after([label] * times) == label
