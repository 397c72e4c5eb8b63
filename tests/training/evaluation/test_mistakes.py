import cv2
import numpy as np
import pytest

from vidan_training.data.sample import Sample
from vidan_training.evaluation.confusion import match_detections
from vidan_training.evaluation.mistakes import (
    FALSE_ALARM,
    MISSED,
    WRONG_LABEL,
    worst_mistakes,
)
from vidan_training.evaluation.sheet import FOUND_COLOR, TRUTH_COLOR, write_mistakes_sheet

from .fakes import found


@pytest.fixture
def labeled_image(tmp_path):
    """A gray image, 100 x 60 px, with a large and a small object of class 0, and one of class 1."""
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.full((60, 100, 3), 100, np.uint8))
    boxes = np.array([[0, 0, 20, 20], [30, 0, 40, 10], [50, 20, 70, 40]], np.float32)
    return Sample(path, boxes, np.array([0, 0, 1], np.int32))


def test_the_worst_mistakes_and_their_sheet(labeled_image, tmp_path):
    one = found(
        (0.9, 0, 50, 20, 70, 40), (0.7, 1, 80, 40, 95, 55), (0.8, 1, 72, 0, 88, 12),
        (0.3, 0, 0, 0, 20, 18),
    )  # fmt: skip
    kinds = worst_mistakes(
        [labeled_image], [one], match_detections([labeled_image], [one], 0.5), ("a", "b"), 2
    )
    assert [m.lines[:2] for m in kinds[FALSE_ALARM]] == [
        ("b 0.80", "no object nearby"),
        ("b 0.70", "no object nearby"),
    ]
    assert [m.lines for m in kinds[WRONG_LABEL]] == [("a 0.90", "is b", "image.png")]
    assert [m.lines[:2] for m in kinds[MISSED]] == [
        ("a 20x20", "at most 0.30"),
        ("a 10x10", "no box fits"),
    ]
    write_mistakes_sheet(tmp_path / "sheet.png", kinds)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    for color in (TRUTH_COLOR, FOUND_COLOR):
        assert (sheet == color).all(axis=2).sum() > 500


def test_a_sheet_without_a_mistake(tmp_path):
    write_mistakes_sheet(tmp_path / "sheet.png", {FALSE_ALARM: [], MISSED: []})
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
