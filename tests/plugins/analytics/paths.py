"""Paths of objects, as results for analyzers."""

import numpy as np

from vidan import Detections, Result, Tracks
from vidan.testing import blank

WIDTH, HEIGHT = 640, 480
LABELS = ("car", "truck", "person")


def path(points, *, start=0, track=1, label="car", size=20.0):
    """One object: its anchor (middle of the lower edge) in each frame; None where it is missing.

    Args:
        points: `x, y` px of each frame.
        start: index of the first frame.
        track: id, or the id of each frame.
        label: label, or the label of each frame.
        size: width and height of the box, px.
    """
    rows = []
    for n, point in enumerate(points):
        if point is not None:
            one = track if isinstance(track, int) else track[n]
            named = label if isinstance(label, str) else label[n]
            x, y = point
            box = (x - size / 2, y - size, x + size / 2, y)
            rows.append((start + n, one, LABELS.index(named), box))
    return rows


def straight(begin, step, count):
    """Points of a movement at constant speed: `count` of them."""
    return [(begin[0] + step[0] * n, begin[1] + step[1] * n) for n in range(count)]


def results(*paths, fps=30.0, frames=None, width=WIDTH, height=HEIGHT, tail=45):
    """The results of each frame, with `tail` empty frames at the end."""
    rows = [row for one in paths for row in one]
    count = frames or max(row[0] for row in rows) + 1 + tail
    by_frame = {}
    for row in rows:
        by_frame.setdefault(row[0], []).append(row)
    return [
        result(n, by_frame.get(n, []), fps=fps, width=width, height=height) for n in range(count)
    ]


def result(index, rows, *, fps=30.0, width=WIDTH, height=HEIGHT):
    """The result of one frame; `rows` as `path` returns them."""
    n = len(rows)
    boxes = np.array([row[3] for row in rows], np.float32).reshape(n, 4)
    tracks = Tracks(
        np.array([row[1] for row in rows], np.int64),
        boxes,
        np.full(n, 0.9, np.float32),
        np.array([row[2] for row in rows], np.int32),
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
    )
    frame = blank(index, time=index / fps, width=width, height=height)
    found = Detections(boxes, tracks.scores, np.maximum(tracks.classes, 0))
    return Result(frame, found, tracks, LABELS)


def events_of(analyzer, given):
    """All events of an analyzer for some results."""
    events = [event for one in given for event in analyzer.update(one)]
    return events + list(analyzer.finish())


def counts(events, rule="line"):
    """Crossings of a line: in and out."""
    directions = [e.data["direction"] for e in events if e.rule == rule]
    return directions.count("in"), directions.count("out")
