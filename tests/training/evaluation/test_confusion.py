import cv2
import numpy as np
import pytest

from vidan_training.data.sample import IGNORED, Sample
from vidan_training.evaluation.confusion import NOTHING, Pair, confusion, pairs
from vidan_training.evaluation.mistakes import CONFUSED, FALSE_ALARM, MISSED, worst
from vidan_training.evaluation.sheet import FOUND, TRUTH, write_sheet

from .test_ranking import BOX, FAR, OTHER, found, sample


def test_pairs_whatever_the_label():
    truth = [sample((0, *BOX), (1, *OTHER))]
    detections = [found((0.9, 1, *BOX), (0.8, 1, *FAR), (0.4, 1, *OTHER))]
    paired = pairs(truth, detections, 0.5)
    assert paired == [Pair(0, 0, 0), Pair(0, NOTHING, 1), Pair(0, 1, NOTHING)]
    # Truth 0 is taken for 1, truth 1 is missed (its score is under 0.5), one false alarm of 1.
    assert confusion(truth, detections, paired, 2).tolist() == [[0, 1, 0], [0, 0, 1], [0, 1, 0]]


def test_what_is_ignored_is_in_no_pair():
    truth = [sample((IGNORED, *BOX))]
    assert pairs(truth, [found((0.9, 0, *BOX), (0.9, 0, *FAR))], 0.5) == [Pair(0, NOTHING, 1)]


HEAD = (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("box", "fits"),
    [
        ((30, 30, 70, 80), True),  # a face in the head: IoU 0.2
        ((80, 40, 110, 80), True),  # center x 95, two thirds inside
        ((90, 40, 120, 80), False),  # center x 105
        ((40, 40, 50, 50), False),  # 1 % of the head: a button
        ((60, 0, 130, 40), True),  # center x 95, 4 / 7 inside
        ((-100, -20, 110, 100), False),  # center x 5, but 40 % inside
    ],
)
def test_loose_boxes(box, fits):
    truth, detections = [sample((0, *HEAD))], [found((0.9, 0, *box))]
    assert not any(p.found == p.truth == 0 for p in pairs(truth, detections, 0.5))
    assert any(p == (0, 0, 0) for p in pairs(truth, detections, 0.5, loose=True)) is fits


def test_of_two_heads_the_tighter_one_is_meant_and_each_is_taken_once():
    truth = [sample((0, *HEAD), (0, 20, 20, 80, 80))]
    detections = [found((0.9, 0, 30, 30, 70, 70), (0.8, 0, 32, 32, 70, 70))]
    paired = pairs(truth, detections, 0.5, loose=True)
    assert paired == [Pair(0, 1, 0), Pair(0, 0, 1)]


@pytest.fixture
def picture(tmp_path):
    """Truth: a large and a small object of class 0, and one of class 1; 100 x 60 px, gray."""
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.full((60, 100, 3), 100, np.uint8))
    boxes = np.array([[0, 0, 20, 20], [30, 0, 40, 10], [50, 20, 70, 40]], np.float32)
    return Sample(path, boxes, np.array([0, 0, 1], np.int32))


def test_the_worst_mistakes(picture, tmp_path):
    one = found(
        (0.9, 0, 50, 20, 70, 40), (0.7, 1, 80, 40, 95, 55), (0.8, 1, 72, 0, 88, 12),
        (0.3, 0, 0, 0, 20, 18),
    )  # fmt: skip
    kinds = worst([picture], [one], pairs([picture], [one], 0.5), ("a", "b"), 2)
    assert [m.lines[:2] for m in kinds[FALSE_ALARM]] == [
        ("b 0.80", "nothing there"),
        ("b 0.70", "nothing there"),
    ]
    assert [m.lines for m in kinds[CONFUSED]] == [("a 0.90", "is b", "picture.png")]
    assert [m.lines[:2] for m in kinds[MISSED]] == [
        ("a 20x20", "at most 0.30"),
        ("a 10x10", "no box fits"),
    ]
    write_sheet(tmp_path / "sheet.png", kinds)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))[..., ::-1]
    for color in (TRUTH, FOUND):
        assert (sheet == color).all(axis=2).sum() > 500


def test_a_sheet_without_a_mistake(tmp_path):
    write_sheet(tmp_path / "sheet.png", {FALSE_ALARM: [], MISSED: []})
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
