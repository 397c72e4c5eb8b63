"""What must not change the counts of a line, for straight paths in any direction."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.analytics.lines import Lines

from .paths import HEIGHT, WIDTH, counts, events_of, path, results

FRAMES = 61
coordinates = st.tuples(st.floats(20, WIDTH - 20), st.floats(20, HEIGHT - 20))
objects = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=4)
LINE = ((200.0, 150.0), (450.0, 330.0))


@settings(max_examples=40, deadline=None)
@given(objects, st.integers(0, FRAMES + 20), st.integers(0, 8), st.floats(0, 0.1))
def test_stopping_and_resuming_at_any_frame_gives_the_same_events(moves, stop, missing, noise):
    rng = np.random.default_rng(stop)
    paths = []
    for n, (first, last) in enumerate(moves):
        points = np.linspace(first, last, FRAMES) + rng.normal(0, 20 * noise, (FRAMES, 2))
        breaks = [k // 13 for k in range(FRAMES)]  # another id after every 13 boxes
        ids = [10 * n + one + 1 for one in breaks]
        shown = [p if k % 13 >= missing else None for k, p in enumerate(points.tolist())]
        paths.append(path(shown, track=ids))
    given_results = results(*paths, frames=FRAMES + 20)
    scene = {"lines": {"line": {"from": LINE[0], "to": LINE[1]}}}
    expected = events_of(Lines(scene), given_results)
    stopped, resumed = Lines(scene), Lines(scene)
    events = [event for one in given_results[:stop] for event in stopped.update(one)]
    resumed.restore(json.loads(json.dumps(stopped.state(), allow_nan=False)))
    events += events_of(resumed, given_results[stop:])
    assert events == expected
    stopped = Lines(scene)
    events_of(stopped, given_results)
    assert resumed.measures() == stopped.measures()


def test_a_run_that_starts_again_continues_the_tracks_and_counts_of_the_last():
    """Stopped with an object in front of the line, and started again 0.5 s later."""
    before = results(path(np.linspace((300, 150), (300, 205), 12).tolist()), tail=0)
    after = results(path(np.linspace((300, 285), (300, 400), 24).tolist(), track=100), tail=0)
    scene = {"lines": {"line": {"from": [200, 240], "to": [400, 240]}}}
    first, second = Lines(scene), Lines(scene)
    assert events_of(first, before) == []
    second.restore(json.loads(json.dumps(first.state())), offset=-0.5 - 11 / 30)
    (event,) = events_of(second, after)
    assert (event.data["joined"], event.time) == (True, pytest.approx(-0.28, abs=0.03))


def clear(moves, line):
    """Whether no path ends near the line, nor passes near one of its ends or turns there."""
    start, end = np.array(line)
    along = (end - start) / np.hypot(*(end - start))
    normal = np.array([-along[1], along[0]])
    for move in moves:
        first, last = np.array(move)
        distances = [(first - start) @ normal, (last - start) @ normal]
        if min(map(abs, distances)) < 40 or np.hypot(*(last - first)) < 1:
            return False
        if distances[0] * distances[1] < 0:
            part = distances[0] / (distances[0] - distances[1])
            place = (first + part * (last - first) - start) @ along
            if min(abs(place), abs(place - np.hypot(*(end - start)))) < 5:
                return False
    return True


def count(moves, *lines, step=1, scale=1.0, mirrored=False, ids=None, reverse=False):
    """Crossings in and out of all lines together."""

    def placed(point):
        x = WIDTH - point[0] if mirrored else point[0]
        return [scale * float(x), scale * float(point[1])]

    scene = {f"line{n}": {"from": placed(a), "to": placed(b)} for n, (a, b) in enumerate(lines)}
    paths = []
    for n, (first, last) in enumerate(moves):
        points = np.linspace(placed(first), placed(last), FRAMES)[::step]
        track = n + 1 if ids is None else ids[n]
        paths.append(path(points.tolist(), track=track, size=20.0 * scale))
    given = results(
        *(paths[::-1] if reverse else paths),
        fps=30 / step,
        width=round(WIDTH * scale),
        height=round(HEIGHT * scale),
    )
    events = events_of(Lines({"lines": scene}, join_within=0), given)
    found = [counts(events, name) for name in scene]
    return sum(c[0] for c in found), sum(c[1] for c in found)


@settings(max_examples=40, deadline=None)
@given(objects)
def test_invariants_of_a_diagonal_line(moves):
    moves = [move for move in moves if clear([move], LINE)]
    expected = count(moves, LINE) if moves else (0, 0)
    if not moves:
        return
    a, b = np.array(LINE)
    middle = tuple(((a + b) / 2).tolist())
    assert count(moves, LINE[::-1]) == expected[::-1], "the reversed line"
    assert sum(count(moves, LINE, mirrored=True)) == sum(expected), "the mirrored image"
    assert count(moves, LINE, scale=0.5) == expected, "half the resolution"
    assert count(moves, LINE, step=2) == expected, "15 frames per second"
    assert count(moves, LINE, step=3) == expected, "10 frames per second"
    assert count(moves, (LINE[0], middle), (middle, LINE[1])) == expected, "the line cut in two"
    ids = [900 - 7 * n for n in range(len(moves))]
    assert count(moves, LINE, ids=ids) == expected, "other ids"
    assert count(moves, LINE, reverse=True) == expected, "another order of the objects"
