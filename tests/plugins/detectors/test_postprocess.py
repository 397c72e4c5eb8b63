import numpy as np
import pytest

from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors.native.metadata import ModelDefaults
from vidan_plugins.detectors.postprocess import Scale, Selection, check_scores

from .models import plain

UNSCALED = Scale(1, 1)
FRAME = plain(0, width=200, height=100)
ADVICE = ModelDefaults(labels=("mask", "bare"), exclusive=True, threshold=0.25)


def choose(selection, boxes, scores, classes, scale=UNSCALED):
    return selection.select(
        np.float32(boxes).reshape(-1, 4), np.float32(scores), np.array(classes, int), scale, FRAME
    )


def from_options(**given):
    none = dict.fromkeys(["threshold", "classes", "exclusive", "max_detections"])
    return Selection.from_options(ADVICE, **({**none, "iou_threshold": 0.5} | given))


def test_exclusive_candidates_have_their_best_class():
    scores = np.float32([[0.5, 0.7], [0.3, 0.4], [0.5, 0.1]])
    rows, classes = Selection(0.5, exclusive=True).candidates(scores)
    assert (rows.tolist(), classes.tolist()) == ([0, 2], [1, 0])


def test_other_candidates_have_every_class_that_reaches_the_threshold():
    scores = np.float32([[0.5, 0.7], [0.3, 0.4], [0.5, 0.1]])
    rows, classes = Selection(0.5).candidates(scores)
    assert (rows.tolist(), classes.tolist()) == ([0, 0, 2], [0, 1, 0])


# 0..10 and 2..12 wide, 10 high: intersection 80, union 120, IoU 0.667
TWO = [[0, 0, 10, 10], [2, 0, 12, 10]]


@pytest.mark.parametrize(
    ("selection", "classes", "left"),
    [
        (Selection(0.1, exclusive=True), [0, 1], [0.9]),
        (Selection(0.1, exclusive=False), [0, 1], [0.9, 0.8]),
        (Selection(0.1, exclusive=False), [1, 1], [0.9]),
        (Selection(0.1, iou_threshold=0.7, exclusive=True), [0, 1], [0.9, 0.8]),
    ],
)
def test_suppresses_across_classes_or_within(selection, classes, left):
    found = choose(selection, TWO, [0.8, 0.9], classes)
    np.testing.assert_allclose(found.scores, left)


def test_a_class_not_wanted_still_explains_its_object():
    wanted = Selection(0.1, exclusive=True, kept=np.array([False, True]))
    assert len(choose(wanted, TWO, [0.9, 0.8], [0, 1])) == 0
    assert choose(wanted, TWO, [0.8, 0.9], [0, 1]).classes.tolist() == [1]


def test_scales_back_per_axis_and_cuts_at_the_border():
    # x halved, y quartered: 10..120 is 20..240 of 200 px, -5..20 is -20..80 of 100 px
    found = choose(Selection(0.1), [[10, -5, 120, 20]], [0.5], [0], Scale(0.5, 0.25))
    assert found.boxes.tolist() == [[20, 0, 200, 80]]
    assert (found.boxes.dtype, found.scores.dtype) == (np.float32, np.float32)
    assert found.classes.dtype == np.int32


@pytest.mark.parametrize(
    "box",
    [
        [210, 10, 250, 20],  # beside the image: in the padding
        [10, 10, 10, 20],
        [20, 10, 10, 20],
        [np.nan, 0, 10, 10],
        [0, 0, np.inf, 10],
    ],
)
def test_leaves_out_boxes_without_an_area(box):
    found = choose(Selection(0.1), [[50, 50, 60, 60], box], [0.5, 0.9], [0, 0])
    assert found.boxes.tolist() == [[50, 50, 60, 60]]


def test_gives_the_best_first_and_no_more_than_wanted():
    apart = [[20 * i, 0, 20 * i + 10, 10] for i in range(4)]
    found = choose(Selection(0.1, most=3), apart, [0.2, 0.9, 0.4, 0.6], [0] * 4)
    np.testing.assert_allclose(found.scores, [0.9, 0.6, 0.4])
    assert found.boxes[:, 0].tolist() == [20, 60, 40]


def test_nothing_in_nothing_out():
    found = choose(Selection(0.1), [], [], [])
    assert found.boxes.shape == (0, 4)


def test_options_go_before_advice():
    advised = from_options()
    assert (advised.threshold, advised.exclusive, advised.kept, advised.most) == (
        0.25,
        True,
        None,
        None,
    )
    given = from_options(threshold=0, exclusive=False, classes="bare", max_detections=7)
    assert (given.threshold, given.exclusive, given.most) == (0, False, 7)
    assert given.kept.tolist() == [False, True]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("threshold", 1.5),
        ("iou_threshold", -1),
        ("exclusive", 1),
        ("classes", []),
        ("classes", ["msak"]),
        ("max_detections", 0),
    ],
)
def test_refuses_bad_options(option, value):
    with pytest.raises(ConfigError, match=f"^detector.{option}"):
        from_options(**{option: value})


def test_scores_are_held_against_their_range():
    check_scores("m", np.float32([[0, 1], [0.5, 1.0001]]))
    check_scores("m", np.zeros((0, 3)))
    with pytest.raises(ModelError, match=r"m: expected scores in \[0,1\], got -2 to 7: .*sigmoid"):
        check_scores("m", np.float32([-2, 7]))
    with pytest.raises(ModelError, match="nan"):
        check_scores("m", np.float32([0.5, np.nan]))
