import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vidan.boxes import NMS_BLOCK_SIZE, area, clip, iou, nms, xywh_to_xyxy, xyxy_to_xywh


def boxes(*rows, dtype=np.float64):
    return np.array(rows, dtype).reshape(-1, 4)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),  # the same
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),  # intersection 50, union 150
        ((0, 0, 10, 10), (2, 2, 4, 4), 4 / 100),  # inside: intersection 4, union 100
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),  # they touch
        ((0, 0, 10, 10), (20, 20, 30, 30), 0.0),  # apart in both directions
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),  # no area at all
    ],
)
def test_iou(a, b, expected):
    assert iou(boxes(a), boxes(b)) == pytest.approx(np.array([[expected]]))


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_iou_has_a_row_for_each_a_and_a_column_for_each_b(n, m):
    assert iou(np.zeros((n, 4)), np.zeros((m, 4))).shape == (n, m)


def test_iou_keeps_the_dtype():
    assert (
        iou(boxes((0, 0, 1, 1), dtype=np.float32), boxes((0, 0, 1, 1), dtype=np.float32)).dtype
        == np.float32
    )


some_boxes = arrays.arrays(np.float64, (5, 4), elements=st.floats(0, 100)).map(
    lambda a: np.concatenate([a[:, :2], a[:, :2] + a[:, 2:]], axis=1)
)


@given(some_boxes, some_boxes)
def test_iou_is_symmetric_and_at_most_one(a, b):
    values = iou(a, b)
    assert np.array_equal(values, iou(b, a).T)
    assert ((values >= 0) & (values <= 1)).all()


@given(some_boxes)
def test_xywh_round_trip(a):
    assert xywh_to_xyxy(xyxy_to_xywh(a)) == pytest.approx(a)


def test_area_and_clip():
    assert area(boxes((0, 0, 2, 3), (1, 1, 1, 5))).tolist() == [6, 0]
    assert clip(boxes((-5, 2, 30, 40)), 20, 10).tolist() == [[0, 2, 20, 10]]


# Three boxes in a row, each 10 wide and shifted by 2: neighbors overlap by 8/12, the outer
# two by 6/14 = 0.43.
ROW = boxes((0, 0, 10, 10), (2, 0, 12, 10), (4, 0, 14, 10))


@pytest.mark.parametrize(
    ("scores", "threshold", "kept"),
    [
        ((0.9, 0.8, 0.7), 0.5, [0, 2]),  # the first takes the second, not the third
        ((0.7, 0.9, 0.8), 0.5, [1]),  # the middle takes both
        ((0.9, 0.8, 0.7), 0.4, [0]),
        ((0.9, 0.8, 0.7), 0.7, [0, 1, 2]),
        ((0.5, 0.5, 0.5), 0.5, [0, 2]),  # ties: the first given wins
    ],
)
def test_nms(scores, threshold, kept):
    assert nms(ROW, np.array(scores), threshold).tolist() == kept


@pytest.mark.parametrize("count", [5, NMS_BLOCK_SIZE, 3 * NMS_BLOCK_SIZE + 1])
def test_nms_keeps_boxes_that_no_better_kept_box_overlaps(count):
    rng = np.random.default_rng(count)
    corners = rng.random((count, 2)) * 300
    boxes = np.hstack([corners, corners + rng.random((count, 2)) * 60])
    scores, classes = rng.integers(0, 50, count) / 50, rng.integers(0, 2, count)
    expected: list[int] = []
    for i in sorted(range(count), key=lambda i: -scores[i]):
        better = [j for j in expected if classes[j] == classes[i]]
        if not (iou(boxes[[i]], boxes[better]) > 0.3).any():
            expected.append(i)
    assert nms(boxes, scores, 0.3, classes).tolist() == expected


def test_nms_does_not_suppress_other_classes():
    scores = np.array([0.9, 0.8, 0.7])
    assert nms(ROW, scores, 0.3, np.array([0, 1, 0])).tolist() == [0, 1]
    assert nms(ROW[:0], scores[:0], 0.3).tolist() == []
