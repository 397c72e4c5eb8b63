"""What a stream says of boxes that are foretold."""

import numpy as np
import pytest

from vidan_plugins.trackers.core.coasting_trust import LOOKS, Coasting


def misses(*values):
    return np.array(values, np.int64)


def test_at_first_three_guesses_in_ten_are_trusted():
    assert Coasting().trust(misses(0, 1, 10, 10**6)).tolist() == [0.3] * 4
    assert Coasting().trust(misses()).shape == (0,)


def test_guesses_that_do_not_come_true_cost_trust():
    coasting = Coasting()
    for _ in range(4):
        coasting.predicted(misses(1, 1))
    assert coasting.trust(misses(1, 2)) == pytest.approx([3 / 18, 0.3])  # 3 of 10 for granted


def test_all_guesses_since_the_last_match_come_true_at_once():
    # Three tracks are missed three times; one comes back where it was foretold, one elsewhere.
    coasting = Coasting()
    for k in (1, 2, 3):
        coasting.predicted(misses(k, k, k))
    coasting.found(misses(3, 3), np.array([0.8, 0.2]))
    assert coasting.trust(misses(1, 2, 3, 4)) == pytest.approx([4 / 13, 4 / 13, 4 / 13, 0.3])


def test_very_long_gaps_count_as_one():
    coasting = Coasting()
    coasting.predicted(misses(LOOKS, LOOKS + 500))
    coasting.found(misses(LOOKS + 500), np.array([1.0]))
    assert coasting.trust(misses(10**6)) == pytest.approx([4 / 12])
