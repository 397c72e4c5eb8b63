import math

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from vidan_training.data.sample import BACKGROUND, IGNORED
from vidan_training.fit.losses import CIoULoss, FocalLoss, HuberLoss, ciou


def classes(*index):
    return np.array([(i, 1) for i in index], np.float32)[None]


def test_focal_loss_by_hand():
    # Logits 0: p = 1/2, each term is factor * (1/2)^2 * ln 2. Anchor 0 is class 0: 0.25 for the
    # hit and 0.75 for the other class; anchor 1 is background: 2 * 0.75; one positive.
    loss = FocalLoss(2, alpha=0.25, gamma=2.0)
    value = float(loss(classes(0, BACKGROUND), np.zeros((1, 2, 2), np.float32)))
    assert value == pytest.approx(0.25 * math.log(2) * (0.25 + 3 * 0.75), rel=1e-5)


def test_focal_loss_at_another_score():
    # Class 0 at logit ln 3: p = 3/4. Hit: 0.25 * (1/4)^2 * ln(4/3).
    loss = FocalLoss(1, alpha=0.25, gamma=2.0)
    value = float(loss(classes(0), np.full((1, 1, 1), math.log(3), np.float32)))
    assert value == pytest.approx(0.25 / 16 * math.log(4 / 3), rel=1e-5)


def test_focal_loss_is_divided_by_the_positives_of_the_batch():
    loss, logits = FocalLoss(2), np.zeros((2, 2, 2), np.float32)
    one = classes(0, BACKGROUND)
    both = np.concatenate([one, one])
    assert float(loss(both, logits)) == pytest.approx(float(loss(one, logits[:1])), rel=1e-5)


def test_ignored_anchors_do_not_contribute():
    loss, logits = FocalLoss(2), np.zeros((1, 3, 2), np.float32)
    value = float(loss(classes(0, BACKGROUND, IGNORED), logits))
    assert value == pytest.approx(float(loss(classes(0, BACKGROUND), logits[:, :2])), rel=1e-5)


def test_class_weights_apply_only_to_positives():
    logits = np.zeros((1, 1, 2), np.float32)
    plain, heavy = FocalLoss(2), FocalLoss(2, class_weights=[1.0, 3.0])
    hit = 0.25 * 0.5**1.5 * math.log(2)
    extra = float(heavy(classes(1), logits)) - float(plain(classes(1), logits))
    assert extra == pytest.approx(2 * hit, rel=1e-4)
    assert float(heavy(classes(0), logits)) == pytest.approx(float(plain(classes(0), logits)))


def test_weights_of_boxes_apply_to_hits_and_to_the_mean():
    # A second anchor of weight 1/2 adds half a hit and all of its false alarms, over 1.5 positives.
    targets = np.array([[[0, 1], [0, 0.5]]], np.float32)
    value = float(FocalLoss(2, gamma=2.0)(targets, np.zeros((1, 2, 2), np.float32)))
    hit, false_alarm = 0.25 * 0.25 * math.log(2), 0.75 * 0.25 * math.log(2)
    assert value == pytest.approx((1.5 * hit + 2 * false_alarm) / 1.5, rel=1e-5)


def test_box_losses_are_weighted_means():
    targets = np.array([[[0, 0, 0, 0, 1], [0, 0, 0, 0, 0.25]]], np.float32)
    codes = np.array([[[0.05] * 4, [0.2] * 4]], np.float32)
    # 0.05^2 / 2 = 0.00125 and 0.1 * (0.2 - 0.05) = 0.015
    value = float(HuberLoss(0.1)(targets, codes))
    assert value == pytest.approx((0.00125 + 0.25 * 0.015) / 1.25, rel=1e-4)


def test_losses_without_positives():
    assert float(FocalLoss(2)(classes(BACKGROUND), np.zeros((1, 1, 2), np.float32))) > 0
    assert float(HuberLoss()(np.zeros((1, 1, 5), np.float32), np.ones((1, 1, 4), np.float32))) == 0


def test_losses_of_large_logits_are_finite():
    for logit in (-200.0, 200.0):
        for index in (0, BACKGROUND):
            logits = np.full((1, 1, 1), logit, np.float32)
            assert math.isfinite(float(FocalLoss(1)(classes(index), logits)))


def test_huber_loss_by_hand():
    # Errors 0.05 and 0.2 at delta 0.1: 0.05^2 / 2 = 0.00125 and 0.1 * (0.2 - 0.05) = 0.015.
    # The second anchor is not positive.
    targets = np.array([[[0.05, 0.2, 0, 0, 1], [9, 9, 9, 9, 0]]], np.float32)
    value = float(HuberLoss(0.1)(targets, np.zeros((1, 2, 4), np.float32)))
    assert value == pytest.approx(0.01625 / 4, rel=1e-4)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        # intersection 50, union 150; centers 5 apart; hull 15 x 10
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3 - 25 / 325),
        # apart: IoU 0; centers 20 apart; hull 30 x 10
        ((0, 0, 10, 10), (20, 0, 30, 10), -400 / 1000),
        # IoU 100/200; centers 5 apart, hull 20 x 10; v = 4/pi^2 (atan 1 - atan 2)^2 = 0.0419556,
        # its weight v / (1 - IoU + v) = 0.0774147
        ((0, 0, 10, 10), (0, 0, 20, 10), 0.5 - 25 / 500 - 0.0774147 * 0.0419556),
    ],
)
def test_ciou_by_hand(a, b, expected):
    value = float(ciou(np.array(a, np.float32), np.array(b, np.float32)))
    assert value == pytest.approx(expected, abs=1e-5)


def test_ciou_loss_decodes_with_its_anchors():
    anchors = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    # The target is the anchor, the prediction is half a width to the right: the second case above.
    targets = np.array([[[0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]], np.float32)
    codes = np.array([[[0, 0.5, 0, 0], [5, 5, 5, 5]]], np.float32)
    value = float(CIoULoss(anchors)(targets, codes))
    assert value == pytest.approx(1 - 1 / 3 + 25 / 325, abs=1e-5)
