"""The class of a track."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.trackers.core.label_vote import ClassVotes


def after(classes, scores=None):
    """The class of one track after detections of these classes."""
    scores = [1.0] * len(classes) if scores is None else scores
    votes = ClassVotes()
    votes.start(np.array(classes[:1], np.int32), np.array(scores[:1], np.float32))
    for c, s in zip(classes[1:], scores[1:], strict=True):
        votes.vote(np.array([0]), np.array([c], np.int32), np.array([s], np.float32))
    return int(votes.classes[0])


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([4], 4),
        ([1, 0], 1),  # one against one: it stays what it was
        ([1, 0, 0, 0], 0),  # 0 has three of nearly four votes
        ([0] * 20 + [1], 0),
        ([0] * 20 + [1] * 3, 0),  # a short flicker
        ([0] * 100 + [1] * 40, 1),  # a lasting change: the older votes fade
        ([0, 1] * 30, 0),  # flickers: held
        ([-1], -1),
        ([-1, 2], 2),
        ([2, -1, -1], 2),  # no opinion is no vote
        ([0, 1, 2, 3], -1),  # nobody has a third
    ],
)
def test_the_vote(classes, expected):
    assert after(classes) == expected


def test_a_vote_weighs_by_its_score():
    assert after([0, 1], [0.1, 0.9]) == 1
    assert after([0, 1], [0.9, 0.1]) == 0
    assert after([3], [0.0]) == 3


def test_tracks_do_not_mix_when_others_come_and_go():
    votes = ClassVotes()
    votes.start(np.array([5, 2, 9], np.int32), np.ones(3, np.float32))
    votes.keep(np.array([True, False, True]))
    votes.start(np.array([7], np.int32), np.ones(1, np.float32))  # between the known classes
    votes.vote(np.array([2, 0]), np.array([7, 5], np.int32), np.ones(2, np.float32))
    assert votes.classes.tolist() == [5, 9, 7]
    assert votes.classes.dtype == np.int32


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.floats(0, 1, width=32)), min_size=1, max_size=60))
def test_a_class_is_one_that_was_voted_for_or_uncertain(votes):
    classes, scores = zip(*votes, strict=True)
    assert after(list(classes), list(scores)) in {-1, *classes}


@given(st.integers(0, 2**31 - 1), st.integers(1, 30))
def test_one_class_alone_is_never_doubted(label, times):
    assert after([label] * times) == label
