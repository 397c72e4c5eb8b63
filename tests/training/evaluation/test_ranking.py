import numpy as np
import pytest

from vidan_training.data.sample import IGNORED
from vidan_training.evaluation.ranking import precision_recall, rank_detections, reliability

from .fakes import found, sample

BOX, OTHER, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (80, 80, 90, 90)


def test_only_the_best_of_two_detections_is_right():
    ranking = rank_detections([sample((0, *BOX))], [found((0.6, 0, *BOX), (0.9, 0, *BOX))], 1)
    assert ranking.scores == pytest.approx([0.9, 0.6])
    assert ranking.right.tolist() == [True, False]
    assert ranking.objects.tolist() == [1]


def test_detections_inside_an_ignored_box_do_not_count():
    truth = [sample((0, *BOX), (IGNORED, *OTHER))]
    ranking = rank_detections(truth, [found((0.9, 0, *OTHER), (0.8, 0, *BOX), (0.7, 0, *FAR))], 1)
    assert ranking.scores == pytest.approx([0.8, 0.7])
    assert ranking.right.tolist() == [True, False]
    assert ranking.objects.tolist() == [1]


def test_operating_points_of_a_curve():
    # Right, wrong, right, wrong; four objects.
    # Precision 1, 1/2, 2/3, 1/2; recall 1/4, 1/4, 1/2, 1/2.
    truth = [sample((0, *BOX), (0, *OTHER), (0, 40, 0, 50, 10), (0, 60, 0, 70, 10))]
    detections = [found((0.9, 0, *BOX), (0.8, 0, *FAR), (0.7, 0, *OTHER), (0.6, 0, 5, 80, 9, 90))]
    curve = precision_recall(rank_detections(truth, detections, 1))
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert curve.recall == pytest.approx([1 / 4, 1 / 4, 1 / 2, 1 / 2])
    assert curve.at(0.7) == pytest.approx((0.7, 2 / 3, 1 / 2))
    assert curve.at(0.95)[2] == 0
    assert np.isnan(curve.at(0.95).precision)
    assert curve.with_precision(0.6) == pytest.approx((0.7, 2 / 3, 1 / 2))
    assert curve.with_precision(0.9) == pytest.approx((0.9, 1, 1 / 4))
    assert curve.best() == pytest.approx((0.7, 2 / 3, 1 / 2))


def test_equal_scores_are_a_single_threshold():
    truth = [sample((0, *BOX))]
    curve = precision_recall(rank_detections(truth, [found((0.5, 0, *BOX), (0.5, 0, *FAR))], 1))
    assert curve.precision.tolist() == [0.5]
    assert curve.with_precision(0.9) is None


def test_no_detections():
    ranking = rank_detections([sample((0, *BOX))], [found()], 1)
    curve = precision_recall(ranking)
    assert curve.best() == (0.5, 0, 0)
    assert curve.with_precision(0.5) is None
    assert np.isnan(reliability(ranking).error)


def test_reliability_by_hand():
    # Bin 0.9: two of 0.95, one right: error 0.45. Bin 0.2: one of 0.25, right: error 0.75.
    # Together (2 * 0.45 + 0.75) / 3 = 0.55; with scores from 0.5 only 0.45.
    truth = [sample((0, *BOX), (0, *OTHER))]
    detections = [found((0.95, 0, *BOX), (0.95, 0, *FAR), (0.25, 0, *OTHER))]
    ranking = rank_detections(truth, detections, 1)
    assert reliability(ranking).error == pytest.approx(0.55)
    assert reliability(ranking).counts.tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
    assert reliability(ranking, 0.5).error == pytest.approx(0.45)
