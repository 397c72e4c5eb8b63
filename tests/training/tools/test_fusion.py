import numpy as np
import pytest

from vidan.testing import detections
from vidan_training.tools.fusion import fuse


def test_boxes_of_one_object_become_their_weighted_mean():
    one = detections([[0, 0, 10, 20]], [0.6], [0])
    other = detections([[3, 0, 13, 20]], [0.3], [0])
    fused = fuse([one, other], 0.5)  # IoU 140 / 260
    assert fused.boxes[0] == pytest.approx([1, 0, 11, 20], abs=1e-5)
    assert fused.scores[0] == pytest.approx(1 - 0.4 * 0.7)


def test_boxes_apart_or_of_different_classes_remain():
    one = detections([[0, 0, 10, 10], [50, 0, 60, 10]], [0.6, 0.4], [0, 0])
    other = detections([[0, 0, 10, 10]], [0.7], [1])
    fused = fuse([one, other], 0.5)
    assert fused.scores == pytest.approx([0.7, 0.6, 0.4])
    assert fused.classes.tolist() == [1, 0, 0]


def test_a_second_box_of_the_same_detector_does_not_raise_the_score():
    found = detections([[0, 0, 10, 10], [0, 0, 10, 12]], [0.6, 0.4], [0, 0])
    fused = fuse([found], 0.5)
    assert fused.scores == pytest.approx([0.6])
    assert fused.boxes[0] == pytest.approx([0, 0, 10, 10.8])


def test_no_detections():
    nothing = detections(np.zeros((0, 4)), [], [])
    assert len(fuse([nothing, nothing], 0.5)) == 0
