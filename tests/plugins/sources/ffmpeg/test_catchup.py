from itertools import pairwise

import pytest

from vidan_plugins.sources.ffmpeg.catchup import LateFrameFilter, TransitTime
from vidan_plugins.sources.timeline import Decoded

STEP = 0.04


class Given:
    """Images that arrive when they are told to: (stamp, arrived, waited)."""

    def __init__(self, rows):
        self.rows = rows
        self.skip = "DEFAULT"
        self.skips = []

    def __iter__(self):
        for number, (stamp, arrived, waited) in enumerate(self.rows):
            self.skips.append(self.skip)
            yield Decoded(number, stamp, 0, arrived, waited)


def steady(count, first=0, transit=1.0):
    """Images that come in time, each waited for."""
    return [(n * STEP, n * STEP + transit, 0.035) for n in range(first, first + count)]


def through(rows):
    given = Given(rows)
    return [(d.picture, d.lost) for d in LateFrameFilter(given, STEP)], given


def test_images_in_time_all_pass():
    passed, given = through(steady(50))
    assert passed == [(n, 0) for n in range(50)]
    assert set(given.skips) == {"DEFAULT"}


def test_what_waited_in_a_jam_is_left_out_for_the_newest():
    # A jam of 1 s: images 20 to 44 all arrive with 45, which is in time, or nearly.
    at = 45 * STEP + 1.0
    jam = [(20 * STEP, at, 1.0), *[(n * STEP, at, 0.0) for n in range(21, 46)]]
    passed, _ = through([*steady(20), *jam, *steady(10, 46)])
    numbers = [n for n, _ in passed]
    assert numbers[:20] == list(range(20))
    # 44 is late by one step, which is none: it and what follows pass; 20 to 43 are counted.
    assert numbers[20] == 44
    assert passed[20][1] == 24
    assert numbers[21:] == list(range(45, 56))


def test_what_a_server_sends_at_once_in_the_beginning_is_left_out():
    burst = [(n * STEP, 2.0, 0.0) for n in range(25)]
    passed, _ = through([*burst, *steady(10, 25)])
    assert passed[0] == (24, 24)
    assert [n for n, _ in passed] == list(range(24, 35))


def test_a_network_that_has_become_slower_is_not_waited_for():
    # Transit grows from 1.0 s to 1.3 s for good: nothing is lost, and soon nothing is held.
    passed, given = through([*steady(20), *steady(40, 20, transit=1.3)])
    assert passed == [(n, 0) for n in range(60)]
    assert given.skips[-1] == "DEFAULT"


def test_without_timestamps_all_pass():
    passed, _ = through([(None, 1.0, 0.0)] * 5)
    assert len(passed) == 5


def test_a_decoder_that_cannot_keep_up_is_relieved_and_something_is_still_shown():
    # Each image takes 0.06 s to decode and is there already: behind by 0.02 s more each time.
    rows = [
        *steady(20),
        *[(n * STEP, 20 * STEP + 1 + (n - 20) * 0.06, 0.0) for n in range(20, 120)],
    ]
    passed, given = through(rows)
    assert "NONREF" in given.skips
    assert given.skips[-1] == "NONKEY"
    at = [rows[n][1] for n, _ in passed]
    assert max(b - a for a, b in pairwise(at)) < 1.3
    assert sum(1 + lost for _, lost in passed) <= len(rows)


def test_transit_forgets_how_fast_it_once_was():
    transit = TransitTime()
    assert transit.late(0.0, 1.0) == 0
    assert transit.late(1.0, 2.5) == pytest.approx(0.5)
    # A camera whose clock is slow: behind two windows only what came in them counts.
    late = [transit.late(n, n * 1.01 + 1) for n in range(2, 100)]
    assert max(late) < 0.5
