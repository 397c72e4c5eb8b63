"""The camera's motion, seen in images that are cut from a larger one."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from vidan_plugins.trackers.core.camera_motion import Flow, shifts, small
from vidan_plugins.trackers.steady import Steady

from ..scenes import Blank, found, ids


class Window(Blank):
    """A frame cut from a wall of blots, from a place (x, y) on and `zoom` times as large."""

    def __init__(self, index=0, place=(0, 0), zoom=1.0, width=960, height=540):
        super().__init__(index, width, height)
        move = np.array([[zoom, 0, -zoom * place[0]], [0, zoom, -zoom * place[1]]])
        self._picture = cv2.warpAffine(WALL, move, (width, height))

    def resized(self, width, height):
        return cv2.resize(self._picture, (width, height), interpolation=cv2.INTER_AREA)


def wall():
    noise = np.random.default_rng(5).integers(0, 256, (50, 100, 3), np.uint8)
    return cv2.resize(noise, (2000, 1000), interpolation=cv2.INTER_CUBIC)


WALL = wall()


def test_a_pan_is_seen_in_pixels_of_the_frame():
    # The window moves by (8, 3) px: what is in it goes the other way.
    flow = Flow()
    assert flow.moved(Window(0, (100, 100))) is None
    matrix = flow.moved(Window(1, (108, 103)))
    assert matrix == pytest.approx(np.array([[1, 0, -8], [0, 1, -3]]), abs=0.01, rel=0.05)


def test_a_zoom_makes_heights_larger():
    # Twice the factor of 1.05 around the corner (300, 200) of the wall.
    flow = Flow()
    flow.moved(Window(0, (300, 200)))
    matrix = flow.moved(Window(1, (300, 200), zoom=1.05))
    moved = shifts(matrix, np.array([[400.0, 200, 0.5, 100]]))
    assert moved[0] == pytest.approx([20, 10, 0, 5], abs=0.5)


def test_a_turn_leaves_sizes_as_they_are():
    # A quarter turn about the origin: (10, 4) goes to (-4, 10).
    moved = shifts(np.array([[0.0, -1, 0], [1, 0, 0]]), np.array([[10.0, 4, 0.5, 100]]))
    assert moved[0] == pytest.approx([-14, 6, 0, 0])


def test_where_nothing_can_be_followed_nothing_is_said():
    class Dark(Blank):
        def resized(self, width, height):
            return np.zeros((height, width, 3), np.uint8)

    flow = Flow()
    assert [flow.moved(f) for f in (Dark(0), Dark(1), Window(2), Window(3, width=800))] == [
        None
    ] * 4


def test_small_images_stay():
    assert small(1920, 1080) == (480, 270)
    assert small(320, 240) == (320, 240)
    assert small(10_000, 1) == (480, 1)


@pytest.mark.parametrize("kalman", ["batched", "filterpy"])
def test_one_who_is_hidden_moves_with_the_camera(kalman):
    # One person stands at (500, 300) on the wall; the camera pans by 6 px a look, and for the
    # last ten looks nobody sees the person, who is then 180 px further left in the image.
    seen = {}
    for pictures in (True, False):
        tracker = Steady(pictures=pictures, kalman=kalman, trust=0)
        for k in range(41):
            pan = 6 * max(k - 20, 0) if k <= 30 else 60 + 12 * (k - 30)  # it hurries, unseen
            at = 500 - pan
            boxes = [[at, 250, at + 40, 350]] if k <= 30 else []
            tracks = tracker.update(Window(k, (pan, 100)), found(boxes))
        assert ids(tracks) == [1]
        seen[pictures] = float(tracks.boxes[0, 0])
    assert seen[True] == pytest.approx(500 - 180, abs=4)
    assert abs(seen[False] - (500 - 180)) > 40


def test_without_images_opencv_is_not_loaded():
    code = (
        "import sys\n"
        "from vidan_plugins.trackers.steady import Steady\n"
        "Steady()\n"
        "assert 'cv2' not in sys.modules\n"
        "Steady(pictures=True)\n"
        "assert 'cv2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
