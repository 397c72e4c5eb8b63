"""Scaling of results to the size at which they are shown."""

import numpy as np

from tests.vidan.fakes import frame
from vidan import Detections, Result, Tracks
from vidan_plugins.sinks.drawing.scaling import scaled_to_fit


def test_the_image_and_the_boxes_are_scaled():
    one = Result(
        frame(3, width=1920, height=1080),
        Detections(
            np.array([[0, 0, 192, 108]], np.float32),
            np.array([0.5], np.float32),
            np.zeros(1, np.int32),
        ),
        Tracks(
            np.array([5]),
            np.array([[960, 540, 1920, 1080]], np.float32),
            np.array([0.5], np.float32),
            np.zeros(1, np.int32),
            np.zeros(1, np.int32),
            np.zeros(1, np.int32),
        ),
    )
    small = scaled_to_fit(one, 640, 640)  # by a third
    assert (small.frame.width, small.frame.height) == (640, 360)
    assert small.frame.rgb().shape == (360, 640, 3)
    assert small.frame.index == 3
    np.testing.assert_allclose(small.detections.boxes, [[0, 0, 64, 36]], rtol=1e-6)
    np.testing.assert_allclose(small.tracks.boxes, [[320, 180, 640, 360]], rtol=1e-6)


def test_a_result_that_fits_is_unchanged():
    one = Result(frame(0, width=320, height=240), Detections.empty(), Tracks.empty())
    assert scaled_to_fit(one, 320, 240) is one
