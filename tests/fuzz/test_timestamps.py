"""Random timestamps: joined parts, resets, steps back, repeats, none at all."""

import itertools
import random

import pytest

from vidan_plugins.sources.timeline import (
    MAX_AHEAD_OF_CLOCK_S,
    MAX_FORWARD_STEP_S,
    MIN_FRAME_INTERVAL_S,
    FrameTimeline,
)

from . import SEED

WRAP_S = 2**33 / 90_000
"""After this time, timestamps of MPEG-TS start again."""

COUNTS = [300, pytest.param(20_000, marks=pytest.mark.fuzz)]


def strange(rng, interval):
    """Timestamps of up to 60 images, s."""
    pts = rng.choice([0.0, -5.0, 1e6, WRAP_S - 0.5])
    for _ in range(rng.randrange(1, 60)):
        pts += rng.choice([interval] * 12 + [0.0, -interval, 1.5, 9.0, 11.0, -0.5, -3.0])
        pts += rng.choice([0.0] * 20 + [WRAP_S, -WRAP_S, 1e9, -1e9])
        yield None if rng.random() < 0.05 else pts


@pytest.mark.parametrize("count", COUNTS)
def test_time_rises_from_0_and_each_image_has_its_index(count):
    rng = random.Random(f"{SEED} timestamps")
    for _ in range(count):
        timeline, interval = FrameTimeline(), rng.choice([1 / 60, 0.04, 1.0])
        timeline.jumps = rng.random() < 0.5
        stamps = list(strange(rng, interval))
        found = [timeline.next(pts, n * interval, interval) for n, pts in enumerate(stamps)]
        indices, times = zip(*found, strict=True)
        assert indices == tuple(range(len(stamps)))
        assert times[0] == 0
        steps = [after - before for before, after in itertools.pairwise(times)]
        assert all(step >= 0.99 * MIN_FRAME_INTERVAL_S for step in steps), stamps
        if timeline.jumps:
            assert all(step <= MAX_FORWARD_STEP_S + interval for step in steps), stamps


@pytest.mark.parametrize("count", COUNTS)
def test_joined_parts_follow_each_other(count):
    """Each part has regular timestamps that begin anywhere."""
    rng = random.Random(f"{SEED} parts")
    for _ in range(count):
        timeline, interval = FrameTimeline(), rng.choice([1 / 60, 0.04, 0.1])
        timeline.jumps = True
        stamps: list[float] = []
        for _part in range(rng.randrange(1, 5)):
            last = stamps[-1] if stamps else 0.0
            start = rng.choice([last - 50, last - 0.5, last + 11, last + WRAP_S, 0.0, 1e7])
            if stamps and -0.3 < start - last < 10.1:
                start = last + 20  # otherwise it is a pause, or a late image
            stamps += [start + n * interval for n in range(rng.randrange(1, 40))]
        times = [timeline.next(pts, 0.0, interval)[1] for pts in stamps]
        assert times == pytest.approx([n * interval for n in range(len(stamps))], abs=1e-3), stamps


@pytest.mark.parametrize("count", COUNTS)
def test_the_clock_limits_how_far_live_timestamps_advance(count):
    rng = random.Random(f"{SEED} live")
    for _ in range(count):
        timeline, arrived, interval = FrameTimeline(), 0.0, 0.04
        before: tuple[float | None, float] = None, 0.0
        for pts in strange(rng, interval):
            elapsed = rng.choice([interval] * 9 + [2.0])
            arrived += elapsed
            _, time = timeline.next(pts, arrived, interval, live=True)
            if None not in (pts, before[0]):
                assert time - before[1] <= elapsed + MAX_AHEAD_OF_CLOCK_S + 1, pts
            before = pts, time
