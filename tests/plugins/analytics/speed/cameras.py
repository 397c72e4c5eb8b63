"""Cameras above a road, and what they see of objects that move on it.

Positions on the road are in m: x to the right, y away from the camera.
"""

import numpy as np

from ..paths import LABELS, result

WIDTH, HEIGHT = 1280, 720
SIZE = (1.8, 1.5)  # width and height of an object, m
MARKS = np.array([[-4.0, 16.0], [4.0, 16.0], [4.0, 60.0], [-4.0, 60.0]])


def camera(height, pitch, focal):
    """The projection (3,4) of a camera at a height, m, that is tilted down by an angle, degrees."""
    sine, cosine = np.sin(np.radians(pitch)), np.cos(np.radians(pitch))
    rotation = np.array([[1, 0, 0], [0, -sine, -cosine], [0, cosine, -sine]])
    lens = np.array([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]])
    return lens @ np.column_stack([rotation, -rotation @ [0, 0, height]])


CAMERAS = {
    "from_a_bridge": camera(7, 18, 900),
    "from_a_pole": camera(10, 25, 1000),
    "from_a_window": camera(5, 10, 900),
}


def project(view, places, above=0.0):
    """Points (N,2) of the image, px, of places (N,2) on the road or above it, m."""
    places = np.column_stack([places, np.full(len(places), above), np.ones(len(places))])
    mapped = places @ view.T
    return mapped[:, :2] / mapped[:, 2:]


def ground(view, marks=MARKS):
    """The key `ground` of a scene."""
    return {"points": project(view, marks).tolist(), "meters": marks.tolist()}


def boxes_of(view, places):
    """Boxes (N,4) of an object at places (N,2) m: its lower edge stands on the road."""
    base, top = project(view, places), project(view, places, SIZE[1])
    height = base[:, 1] - top[:, 1]
    half = height * SIZE[0] / SIZE[1] / 2
    return np.column_stack([base[:, 0] - half, base[:, 1] - height, base[:, 0] + half, base[:, 1]])


def seen(view, path, seconds, fps=30, *, seed=0, missing=0.0, noise=0.0, track=1, label="car"):
    """The results of an object on the road.

    Args:
        path: its places (N,2) m, at times (N,) s.
        seconds: how long it is followed.
        missing: fraction of the frames in which it is not detected.
        noise: standard deviation of each edge of its box, as a fraction of its size.
        track: id, or a function of the time.
    """
    generator = np.random.default_rng(seed)
    times = np.arange(round(seconds * fps)) / fps
    boxes = boxes_of(view, path(times))
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    boxes = boxes + generator.normal(0, noise, boxes.shape) * sizes
    kept = generator.random(len(times)) >= missing
    ids = [track(time) if callable(track) else track for time in times]
    rows = [
        [(n, ids[n], LABELS.index(label), boxes[n])] if kept[n] else [] for n in range(len(times))
    ]
    return [result(n, row, fps=fps, width=WIDTH, height=HEIGHT) for n, row in enumerate(rows)]


def straight_on(begin, toward, speed):
    """A path from one place in the direction of another, m/s."""
    step = np.subtract(toward, begin) / np.hypot(*np.subtract(toward, begin)) * speed
    return lambda times: np.array(begin) + np.asarray(times)[:, None] * step


def around(center, radius, speed):
    """A path around a place."""

    def path(times):
        angles = speed * np.asarray(times) / radius
        return center + radius * np.column_stack([np.cos(angles), np.sin(angles)])

    return path
