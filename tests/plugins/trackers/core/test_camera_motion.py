"""Camera motion, estimated in crops of a larger image."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from vidan_plugins.trackers.core.camera_motion import CameraMotion, position_offsets, small_size
from vidan_plugins.trackers.steady import Steady

from ..scenes import Blank, found, ids


class Window(Blank):
    """A frame cut from a wall of blots at a place (x, y), magnified by `zoom`."""

    def __init__(self, index=0, place=(0, 0), zoom=1.0, width=960, height=540):
        super().__init__(index, width, height)
        move = np.array([[zoom, 0, -zoom * place[0]], [0, zoom, -zoom * place[1]]])
        self._image = cv2.warpAffine(WALL, move, (width, height))

    def resized(self, width, height):
        return cv2.resize(self._image, (width, height), interpolation=cv2.INTER_AREA)


def wall():
    noise = np.random.default_rng(5).integers(0, 256, (50, 100, 3), np.uint8)
    return cv2.resize(noise, (2000, 1000), interpolation=cv2.INTER_CUBIC)


WALL = wall()


def test_a_pan_is_measured_in_pixels_of_the_frame():
    # The window moves by (8, 3) px: its content moves the other way.
    motion = CameraMotion()
    assert motion.estimate(Window(0, (100, 100))) is None
    matrix = motion.estimate(Window(1, (108, 103)))
    assert matrix == pytest.approx(np.array([[1, 0, -8], [0, 1, -3]]), abs=0.01, rel=0.05)


def test_a_zoom_scales_heights():
    # A factor of 1.05 around the corner (300, 200) of the wall.
    motion = CameraMotion()
    motion.estimate(Window(0, (300, 200)))
    matrix = motion.estimate(Window(1, (300, 200), zoom=1.05))
    moved = position_offsets(matrix, np.array([[400.0, 200, 0.5, 100]]))
    assert moved[0] == pytest.approx([20, 10, 0, 5], abs=0.5)


def test_a_rotation_keeps_sizes():
    # A quarter turn about the origin: (10, 4) moves to (-4, 10).
    moved = position_offsets(np.array([[0.0, -1, 0], [1, 0, 0]]), np.array([[10.0, 4, 0.5, 100]]))
    assert moved[0] == pytest.approx([-14, 6, 0, 0])


def test_without_corners_the_motion_is_unknown():
    class Dark(Blank):
        def resized(self, width, height):
            return np.zeros((height, width, 3), np.uint8)

    motion = CameraMotion()
    frames = (Dark(0), Dark(1), Window(2), Window(3, width=800))
    assert [motion.estimate(frame) for frame in frames] == [None] * 4


def test_small_images_are_not_scaled():
    assert small_size(1920, 1080) == (480, 270)
    assert small_size(320, 240) == (320, 240)
    assert small_size(10_000, 1) == (480, 1)


@pytest.mark.parametrize("kalman", ["batched", "filterpy"])
def test_a_hidden_person_moves_with_the_camera(kalman):
    # One person stands at (500, 300) on the wall; the camera pans by 6 px per update. In the
    # last ten updates the person is not detected, and is then 180 px further left in the image.
    seen = {}
    for optical_flow in (True, False):
        tracker = Steady(optical_flow=optical_flow, kalman=kalman, min_confirmed_ratio=0)
        for k in range(41):
            pan = 6 * max(k - 20, 0) if k <= 30 else 60 + 12 * (k - 30)  # faster, while undetected
            at = 500 - pan
            boxes = [[at, 250, at + 40, 350]] if k <= 30 else []
            tracks = tracker.update(Window(k, (pan, 100)), found(boxes))
        assert ids(tracks) == [1]
        seen[optical_flow] = float(tracks.boxes[0, 0])
    assert seen[True] == pytest.approx(500 - 180, abs=4)
    assert abs(seen[False] - (500 - 180)) > 40


def test_opencv_is_loaded_for_optical_flow_only():
    code = (
        "import sys\n"
        "from vidan_plugins.trackers.steady import Steady\n"
        "Steady()\n"
        "assert 'cv2' not in sys.modules\n"
        "Steady(optical_flow=True)\n"
        "assert 'cv2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
