"""The ratio of confirmed predictions in a stream."""

import numpy as np
import pytest

from vidan_plugins.trackers.core.coasting_trust import MISS_BINS, CoastingTrust


def misses(*values):
    return np.array(values, np.int64)


def test_the_prior_is_three_of_ten():
    assert CoastingTrust().confirmed_ratio(misses(0, 1, 10, 10**6)).tolist() == [0.3] * 4
    assert CoastingTrust().confirmed_ratio(misses()).shape == (0,)


def test_unconfirmed_predictions_lower_the_ratio():
    trust = CoastingTrust()
    for _ in range(4):
        trust.add_predictions(misses(1, 1))
    # the prior is 3 of 10
    assert trust.confirmed_ratio(misses(1, 2)) == pytest.approx([3 / 18, 0.3])


def test_a_return_confirms_all_predictions_since_the_last_match():
    # Three tracks are missed three times; one returns where it was predicted, one elsewhere.
    trust = CoastingTrust()
    for k in (1, 2, 3):
        trust.add_predictions(misses(k, k, k))
    trust.add_returns(misses(3, 3), np.array([0.8, 0.2]))
    assert trust.confirmed_ratio(misses(1, 2, 3, 4)) == pytest.approx([4 / 13, 4 / 13, 4 / 13, 0.3])


def test_very_long_gaps_share_one_bin():
    trust = CoastingTrust()
    trust.add_predictions(misses(MISS_BINS, MISS_BINS + 500))
    trust.add_returns(misses(MISS_BINS + 500), np.array([1.0]))
    assert trust.confirmed_ratio(misses(10**6)) == pytest.approx([4 / 12])
