from itertools import pairwise

import pytest

from vidan_plugins.sources.ffmpeg.catchup import LateFrameFilter, TransitTime
from vidan_plugins.sources.ffmpeg.decode import DecodedImage

FRAME_INTERVAL = 0.04


class ScriptedReader:
    """Images that arrive as scripted: (pts, arrived, waited)."""

    def __init__(self, rows):
        self.rows = rows
        self.skip = "DEFAULT"
        self.skips = []

    def __iter__(self):
        for number, (pts, arrived, waited) in enumerate(self.rows):
            self.skips.append(self.skip)
            yield DecodedImage(number, pts, 0, arrived, waited)


def on_time(count, first=0, transit=1.0):
    """Images that arrive on time, each of them waited for."""
    numbers = range(first, first + count)
    return [(n * FRAME_INTERVAL, n * FRAME_INTERVAL + transit, 0.035) for n in numbers]


def filtered(rows):
    reader = ScriptedReader(rows)
    return [(d.image, d.lost) for d in LateFrameFilter(reader, FRAME_INTERVAL)], reader


def test_images_on_time_all_pass():
    passed, reader = filtered(on_time(50))
    assert passed == [(n, 0) for n in range(50)]
    assert set(reader.skips) == {"DEFAULT"}


def test_images_queued_by_congestion_are_dropped_for_the_newest():
    # Congestion of 1 s: images 20 to 44 all arrive with 45, which is on time, or nearly.
    arrived = 45 * FRAME_INTERVAL + 1.0
    queued = [(n * FRAME_INTERVAL, arrived, 0.0) for n in range(21, 46)]
    congestion = [(20 * FRAME_INTERVAL, arrived, 1.0), *queued]
    passed, _ = filtered([*on_time(20), *congestion, *on_time(10, 46)])
    numbers = [n for n, _ in passed]
    assert numbers[:20] == list(range(20))
    # 44 is behind by one interval, which is not late: it and later ones pass; 20 to 43 are lost.
    assert numbers[20] == 44
    assert passed[20][1] == 24
    assert numbers[21:] == list(range(45, 56))


def test_a_burst_of_old_images_at_the_start_is_dropped():
    burst = [(n * FRAME_INTERVAL, 2.0, 0.0) for n in range(25)]
    passed, _ = filtered([*burst, *on_time(10, 25)])
    assert passed[0] == (24, 24)
    assert [n for n, _ in passed] == list(range(24, 35))


def test_a_network_that_becomes_slower_loses_nothing():
    # Transit grows from 1.0 s to 1.3 s for good: nothing is lost, and soon nothing is held.
    passed, reader = filtered([*on_time(20), *on_time(40, 20, transit=1.3)])
    assert passed == [(n, 0) for n in range(60)]
    assert reader.skips[-1] == "DEFAULT"


def test_images_without_timestamps_all_pass():
    passed, _ = filtered([(None, 1.0, 0.0)] * 5)
    assert len(passed) == 5


def test_a_decoder_that_is_too_slow_skips_images_and_some_still_pass():
    # Each image takes 0.06 s to decode and is already queued: 0.02 s further behind each time.
    rows = [
        *on_time(20),
        *[
            (n * FRAME_INTERVAL, 20 * FRAME_INTERVAL + 1 + (n - 20) * 0.06, 0.0)
            for n in range(20, 120)
        ],
    ]
    passed, reader = filtered(rows)
    assert "NONREF" in reader.skips
    assert reader.skips[-1] == "NONKEY"
    arrivals = [rows[n][1] for n, _ in passed]
    assert max(b - a for a, b in pairwise(arrivals)) < 1.3
    assert sum(1 + lost for _, lost in passed) <= len(rows)


def test_transit_time_forgets_an_old_minimum():
    transit = TransitTime()
    assert transit.lateness(0.0, 1.0) == 0
    assert transit.lateness(1.0, 2.5) == pytest.approx(0.5)
    # A camera with a slow clock: after two windows only recent images count.
    lateness = [transit.lateness(n, n * 1.01 + 1) for n in range(2, 100)]
    assert max(lateness) < 0.5
