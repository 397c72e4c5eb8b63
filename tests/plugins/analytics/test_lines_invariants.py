"""What must not change the counts of a line, for straight paths in any direction."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.analytics.lines import Lines

from .paths import HEIGHT, WIDTH, counts, events_of, path, results

FRAMES = 61
coordinates = st.tuples(st.floats(20, WIDTH - 20), st.floats(20, HEIGHT - 20))
objects = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=4)
LINE = ((200.0, 150.0), (450.0, 330.0))


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
