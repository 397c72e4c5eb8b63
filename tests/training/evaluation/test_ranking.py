from pathlib import Path

import numpy as np
import pytest

from vidan.types import Detections
from vidan_training.data.sample import IGNORED, Sample
from vidan_training.evaluation.ranking import curve, rank, reliability


def sample(*rows):
    """Rows of class, x1, y1, x2, y2."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Sample(Path("x.jpg"), table[:, 1:], table[:, 0].astype(np.int32))


def found(*rows):
    """Rows of score, class, x1, y1, x2, y2."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, 2:], table[:, 0], table[:, 1].astype(np.int32))


BOX, OTHER, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (80, 80, 90, 90)


def test_only_the_best_of_two_detections_is_right():
    ranking = rank([sample((0, *BOX))], [found((0.6, 0, *BOX), (0.9, 0, *BOX))], 1)
    assert ranking.scores == pytest.approx([0.9, 0.6])
    assert ranking.right.tolist() == [True, False]
    assert ranking.objects.tolist() == [1]


def test_what_lies_in_an_ignored_box_counts_neither_way():
    truth = [sample((0, *BOX), (IGNORED, *OTHER))]
    ranking = rank(truth, [found((0.9, 0, *OTHER), (0.8, 0, *BOX), (0.7, 0, *FAR))], 1)
    assert ranking.scores == pytest.approx([0.8, 0.7])
    assert ranking.right.tolist() == [True, False]
    assert ranking.objects.tolist() == [1]


def test_points_of_a_curve():
    # Right, wrong, right, wrong; four objects.
    # Precision 1, 1/2, 2/3, 1/2; recall 1/4, 1/4, 1/2, 1/2.
    truth = [sample((0, *BOX), (0, *OTHER), (0, 40, 0, 50, 10), (0, 60, 0, 70, 10))]
    detections = [found((0.9, 0, *BOX), (0.8, 0, *FAR), (0.7, 0, *OTHER), (0.6, 0, 5, 80, 9, 90))]
    line = curve(rank(truth, detections, 1))
    assert line.precision == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert line.recall == pytest.approx([1 / 4, 1 / 4, 1 / 2, 1 / 2])
    assert line.at(0.7) == pytest.approx((0.7, 2 / 3, 1 / 2))
    assert line.at(0.95)[2] == 0
    assert np.isnan(line.at(0.95).precision)
    assert line.with_precision(0.6) == pytest.approx((0.7, 2 / 3, 1 / 2))
    assert line.with_precision(0.9) == pytest.approx((0.9, 1, 1 / 4))
    assert line.best() == pytest.approx((0.7, 2 / 3, 1 / 2))


def test_equal_scores_are_one_threshold():
    truth = [sample((0, *BOX))]
    line = curve(rank(truth, [found((0.5, 0, *BOX), (0.5, 0, *FAR))], 1))
    assert line.precision.tolist() == [0.5]
    assert line.with_precision(0.9) is None


def test_nothing_found():
    ranking = rank([sample((0, *BOX))], [found()], 1)
    line = curve(ranking)
    assert line.best() == (0.5, 0, 0)
    assert line.with_precision(0.5) is None
    assert np.isnan(reliability(ranking).error)


def test_reliability():
    # Bin 0.9: two of 0.95, one right: off by 0.45. Bin 0.2: one of 0.25, right: off by 0.75.
    # Together (2 * 0.45 + 0.75) / 3 = 0.55; from 0.5 on 0.45.
    truth = [sample((0, *BOX), (0, *OTHER))]
    detections = [found((0.95, 0, *BOX), (0.95, 0, *FAR), (0.25, 0, *OTHER))]
    ranking = rank(truth, detections, 1)
    assert reliability(ranking).error == pytest.approx(0.55)
    assert reliability(ranking).counts.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
    assert reliability(ranking, 0.5).error == pytest.approx(0.45)
