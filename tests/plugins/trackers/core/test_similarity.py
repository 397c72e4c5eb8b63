"""Overlap and similarity of boxes, computed by hand."""

import numpy as np
import pytest

from vidan.boxes import iou
from vidan_plugins.trackers.core.similarity import paired_iou, similarity, touching_pairs


def test_similarity_separates_people_behind_each_other():
    # Boxes of 10 x 20, expanded by a quarter on each side: 15 x 30. One 5 px lower: shared
    # 15 x 25, union 900 - 375, heights (not expanded) share 15 of 25. One beside it by 4 px:
    # shared 11 x 30, union 900 - 330, same heights. One that starts where the first ends:
    # shared 5 x 30.
    a = np.array([[0.0, 0, 10, 20]])
    b = np.array([[0.0, 5, 10, 25], [4, 0, 14, 20], [10, 0, 20, 20], [50, 50, 60, 70]])
    rows, columns, similarities = similarity(a, b)
    assert (rows.tolist(), columns.tolist()) == ([0, 0, 0], [0, 1, 2])
    assert similarities == pytest.approx([375 / 525 * 0.6**1.5, 330 / 570, 150 / 750])
    for pairs in (similarity(a, np.zeros((0, 4))), similarity(np.zeros((0, 4)), b)):
        assert [len(part) for part in pairs] == [0, 0, 0]


def test_paired_iou_equals_iou():
    a, b = (np.array(np.random.default_rng(k).uniform(0, 50, (30, 4))) for k in (1, 2))
    a[:, 2:] += a[:, :2]
    b[:, 2:] += b[:, :2]
    all_pairs = np.zeros((30, 30))
    rows, columns = touching_pairs(a, b)
    all_pairs[rows, columns] = paired_iou(a[rows], b[columns])
    np.testing.assert_allclose(all_pairs, iou(a, b))
    assert paired_iou(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [0]
