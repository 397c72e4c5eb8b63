import numpy as np
import pytest

pytest.importorskip("faster_coco_eval", reason="needs the extra: pip install vidan[eval]")

from vidan.modelspec import Scale
from vidan_training.evaluation.metrics import evaluate
from vidan_training.evaluation.predict import select
from vidan_training.evaluation.ranking import precision_recall, rank_detections

from .fakes import found, sample

LABELS = ("a", "b")


TRUTH = [sample((0, 0, 0, 10, 10), (1, 20, 0, 30, 10)), sample((0, 5, 5, 25, 25))]


def test_a_perfect_result():
    metrics = evaluate(
        TRUTH,
        [found((0.9, 0, 0, 0, 10, 10), (0.8, 1, 20, 0, 30, 10)), found((0.7, 0, 5, 5, 25, 25))],
        LABELS,
    )
    for name in ("AP50", "AP50/a", "AP50/b", "mAP50", "mAP", "F1"):
        assert metrics[name] == pytest.approx(1.0), name
    assert metrics["threshold"] == pytest.approx(0.7)


def test_ap50_ignores_the_class():
    metrics = evaluate(
        TRUTH,
        [found((0.9, 1, 0, 0, 10, 10), (0.8, 1, 20, 0, 30, 10)), found((0.7, 0, 5, 5, 25, 25))],
        LABELS,
    )
    assert metrics["AP50"] == pytest.approx(1.0)
    # Class a: one of two found, precision 1 up to recall 0.5: 51 of the 101 points of COCO.
    assert metrics["AP50/a"] == pytest.approx(51 / 101)
    # Class b: a false alarm before the right one, so precision is 1/2 at every recall.
    assert metrics["AP50/b"] == pytest.approx(0.5)


def test_no_detections():
    metrics = evaluate(TRUTH, [found(), found()], LABELS)
    assert metrics["AP50"] == metrics["mAP50"] == metrics["F1"] == 0


def best(truth, detections):
    return precision_recall(rank_detections(truth, detections, len(LABELS))).best()


def test_the_threshold_of_the_best_f1():
    # Right at 0.9 and 0.6, wrong at 0.5 and 0.4; three objects.
    # F1 at 0.6: precision 2/2, recall 2/3 -> 0.8; lower thresholds only reduce precision.
    result = best(
        TRUTH,
        [
            found((0.9, 0, 0, 0, 10, 10), (0.6, 1, 20, 0, 30, 10), (0.5, 0, 50, 50, 60, 60)),
            found((0.4, 0, 50, 50, 60, 60)),
        ],
    )
    assert result == pytest.approx((0.6, 1, 2 / 3))
    assert result.f1 == pytest.approx(0.8)


def test_an_object_is_found_only_once():
    result = best([TRUTH[1]], [found((0.9, 0, 5, 5, 25, 25), (0.8, 0, 6, 6, 25, 25))])
    assert result == pytest.approx((0.9, 1, 1))


def test_select_scales_to_the_image_and_suppresses_across_classes():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50], [0, 0, 1, 1]], np.float32)
    scores = np.array([[0.2, 0.9], [0.8, 0.1], [0.3, 0.2], [0.001, 0.002]], np.float32)
    result = select(boxes, scores, Scale(0.5, 0.5), (200, 200))
    assert result.boxes.tolist() == [[0, 0, 20, 20], [80, 80, 100, 100]]
    assert result.classes.tolist() == [1, 0]
    assert result.scores == pytest.approx([0.9, 0.3])


def test_select_keeps_boxes_of_other_classes_unless_an_object_has_one():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10]], np.float32)
    scores = np.array([[0.001, 0.9], [0.8, 0.3]], np.float32)
    result = select(boxes, scores, Scale(1, 1), (200, 200), class_agnostic=False)
    assert result.classes.tolist() == [1, 0]
    assert result.scores == pytest.approx([0.9, 0.8])
