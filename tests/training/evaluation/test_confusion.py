import pytest

from vidan_training.data.sample import IGNORED
from vidan_training.evaluation.confusion import NOTHING, Match, confusion_matrix, match_detections

from .fakes import found, sample
from .test_ranking import BOX, FAR, OTHER


def test_detections_are_matched_whatever_the_label():
    truth = [sample((0, *BOX), (1, *OTHER))]
    detections = [found((0.9, 1, *BOX), (0.8, 1, *FAR), (0.4, 1, *OTHER))]
    matches = match_detections(truth, detections, 0.5)
    assert matches == [Match(0, 0, 0), Match(0, NOTHING, 1), Match(0, 1, NOTHING)]
    # Truth 0 is detected as 1, truth 1 is missed (its score is below 0.5), one false alarm of 1.
    assert confusion_matrix(truth, detections, matches, 2).tolist() == [
        [0, 1, 0],
        [0, 0, 1],
        [0, 1, 0],
    ]


def test_ignored_objects_are_in_no_match():
    truth = [sample((IGNORED, *BOX))]
    assert match_detections(truth, [found((0.9, 0, *BOX), (0.9, 0, *FAR))], 0.5) == [
        Match(0, NOTHING, 1)
    ]


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
def test_matches_of_loose_boxes(box, fits):
    truth, detections = [sample((0, *HEAD))], [found((0.9, 0, *box))]
    assert not any(p.found == p.truth == 0 for p in match_detections(truth, detections, 0.5))
    assert any(p == (0, 0, 0) for p in match_detections(truth, detections, 0.5, loose=True)) is fits


def test_of_two_heads_the_tighter_one_is_matched_and_each_only_once():
    truth = [sample((0, *HEAD), (0, 20, 20, 80, 80))]
    detections = [found((0.9, 0, 30, 30, 70, 70), (0.8, 0, 32, 32, 70, 70))]
    matches = match_detections(truth, detections, 0.5, loose=True)
    assert matches == [Match(0, 1, 0), Match(0, 0, 1)]
