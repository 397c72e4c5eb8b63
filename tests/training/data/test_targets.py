import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from vidan_training.data.sample import BACKGROUND, IGNORED, Objects
from vidan_training.data.targets import Matching, assign_targets, mostly_covered

# 10 px squares at x = 0, 2, 4, 6, 8 and 40; with a box at x = 0 their IoU is
# 1, 80/120, 60/140, 40/160, 20/180 and 0.
ANCHORS = np.array([[x, 0, x + 10, 10] for x in (0, 2, 4, 6, 8, 40)], np.float32)


def match(boxes, classes, weights=None, **options):
    objects = Objects(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int32),
        np.array(weights or [1] * len(classes), np.float32),
    )
    return assign_targets(objects, ANCHORS, Matching(**options))


def test_positive_ignored_and_background_anchors():
    classes, boxes = match([[0, 0, 10, 10]], [2], positive=0.6, negative=0.3)
    # 0.43 is between the thresholds, but it is the third best anchor of the box
    assert classes[:, 0].tolist() == [2, 2, 2, BACKGROUND, BACKGROUND, BACKGROUND]
    assert boxes[:, 4].tolist() == [1, 1, 1, 0, 0, 0]
    # x = 2: the box lies 2 px to the left, a fifth of the anchor
    assert boxes[1, :4] == pytest.approx([0, -0.2, 0, 0], abs=1e-6)


def test_anchors_between_the_thresholds_are_ignored():
    classes, _ = match([[0, 0, 10, 10]], [0], positive=0.6, negative=0.1)
    assert classes[:, 0].tolist() == [0, 0, 0, IGNORED, IGNORED, BACKGROUND]


def test_a_box_that_fits_no_anchor_gets_its_best_one():
    # 3 px in the middle of the last anchor: IoU 9/100
    classes, boxes = match([[43, 3, 46, 6]], [1])
    assert classes[:, 0].tolist() == [BACKGROUND] * 5 + [1]
    assert boxes[:, 4].tolist() == [0, 0, 0, 0, 0, 1]


def test_an_image_without_boxes_is_all_background():
    classes, boxes = match([], [])
    assert (classes[:, 0] == BACKGROUND).all()
    assert not boxes.any()


def test_ignored_boxes_cover_anchors():
    classes, _ = match([[0, 0, 13, 10]], [IGNORED])
    # 10, 10, 9, 7 and 5 of 10 px are covered; 5 is not more than half
    assert classes[:, 0].tolist() == [IGNORED] * 4 + [BACKGROUND] * 2


def test_an_anchor_has_the_weight_of_its_box():
    classes, boxes = match([[0, 0, 10, 10], [40, 0, 50, 10]], [0, 1], [0.5, 0.75], min_anchors=1)
    assert classes[0].tolist() == [0, 0.5]
    assert classes[5].tolist() == [1, 0.75]
    assert boxes[[0, 5], 4].tolist() == [0.5, 0.75]


def test_nothing_is_covered_without_boxes():
    assert not mostly_covered(ANCHORS, np.zeros((0, 4), np.float32)).any()
