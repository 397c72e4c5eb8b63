from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faster_coco_eval", reason="needs the extra: pip install vidan[eval]")

from vidan.modelspec import Scale
from vidan.types import Detections
from vidan_training.data.sample import Sample
from vidan_training.evaluation.figures import evaluate
from vidan_training.evaluation.predict import select
from vidan_training.evaluation.ranking import curve, rank

LABELS = ("a", "b")


def sample(*rows):
    """Rows of class, x1, y1, x2, y2."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Sample(Path("x.jpg"), table[:, 1:], table[:, 0].astype(np.int32))


def found(*rows):
    """Rows of score, class, x1, y1, x2, y2."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, 2:], table[:, 0], table[:, 1].astype(np.int32))


TRUTH = [sample((0, 0, 0, 10, 10), (1, 20, 0, 30, 10)), sample((0, 5, 5, 25, 25))]


def test_all_right():
    figures = evaluate(
        TRUTH,
        [found((0.9, 0, 0, 0, 10, 10), (0.8, 1, 20, 0, 30, 10)), found((0.7, 0, 5, 5, 25, 25))],
        LABELS,
    )
    for name in ("AP50", "AP50/a", "AP50/b", "mAP50", "mAP", "F1"):
        assert figures[name] == pytest.approx(1.0), name
    assert figures["threshold"] == pytest.approx(0.7)


def test_the_wrong_class_is_right_for_boxes_alone():
    figures = evaluate(
        TRUTH,
        [found((0.9, 1, 0, 0, 10, 10), (0.8, 1, 20, 0, 30, 10)), found((0.7, 0, 5, 5, 25, 25))],
        LABELS,
    )
    assert figures["AP50"] == pytest.approx(1.0)
    # Class a: one of two found, precision 1 up to recall 0.5: 51 of the 101 points of COCO.
    assert figures["AP50/a"] == pytest.approx(51 / 101)
    # Class b: first a false alarm, then the right one: precision 1/2 at every recall.
    assert figures["AP50/b"] == pytest.approx(0.5)


def test_nothing_found():
    figures = evaluate(TRUTH, [found(), found()], LABELS)
    assert figures["AP50"] == figures["mAP50"] == figures["F1"] == 0


def best(truth, detections):
    return curve(rank(truth, detections, len(LABELS))).best()


def test_threshold_of_the_best_f1():
    # Right at 0.9 and 0.6, wrong at 0.5 and 0.4; three boxes.
    # F1 at 0.6: precision 2/2, recall 2/3 -> 0.8; lower thresholds only lose precision.
    result = best(
        TRUTH,
        [
            found((0.9, 0, 0, 0, 10, 10), (0.6, 1, 20, 0, 30, 10), (0.5, 0, 50, 50, 60, 60)),
            found((0.4, 0, 50, 50, 60, 60)),
        ],
    )
    assert result == pytest.approx((0.6, 1, 2 / 3))
    assert result.f1 == pytest.approx(0.8)


def test_a_box_counts_once():
    result = best([TRUTH[1]], [found((0.9, 0, 5, 5, 25, 25), (0.8, 0, 6, 6, 25, 25))])
    assert result == pytest.approx((0.9, 1, 1))


def test_select_goes_back_to_the_image_and_suppresses_across_classes():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50], [0, 0, 1, 1]], np.float32)
    scores = np.array([[0.2, 0.9], [0.8, 0.1], [0.3, 0.2], [0.001, 0.002]], np.float32)
    result = select(boxes, scores, Scale(0.5, 0.5), (200, 200))
    assert result.boxes.tolist() == [[0, 0, 20, 20], [80, 80, 100, 100]]
    assert result.classes.tolist() == [1, 0]
    assert result.scores == pytest.approx([0.9, 0.3])
