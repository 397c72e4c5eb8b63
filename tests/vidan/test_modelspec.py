import json

import numpy as np
import pytest

from vidan.errors import ModelError
from vidan.labels import Renaming
from vidan.modelspec import ModelSpec, Scale, Selection, check_scores, letterbox
from vidan.support.score_scale import ScoreScale

LETTERBOXED = [
    (192, 128, (96, 64)),  # halved exactly
    (192, 64, (96, 32)),
    (50, 100, (32, 64)),
    (48, 32, (96, 64)),  # doubled
    (100, 30, (96, 29)),  # 28.8 px high: rounded
    (3000, 2, (96, 1)),  # 0.064 px high: at least one
    (96, 64, (96, 64)),
]
"""Width and height of an image, and of the part of a 96x64 input that it covers, px."""


def metadata(**changes):
    """The JSON object of a model."""
    standard = {
        "format": "efficientdet",
        "version": 1,
        "labels": ["red", "green", "blue"],
        "input_size": [64, 96],
        "resize": "letterbox",
        "pad": 0,
        "color": "rgb",
        "exclusive": True,
        "threshold": 0.4,
    }
    return standard | changes


def test_a_spec_is_read_from_json():
    found = ModelSpec.from_json(json.dumps(metadata(pad=114, later="ignored")))
    assert found == ModelSpec(
        labels=("red", "green", "blue"),
        input_size=(64, 96),
        pad=114,
        class_agnostic=True,
        threshold=0.4,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", "yolo"), ("version", 2), ("resize", "stretch"), ("color", "bgr")],
)
def test_other_versions_of_the_format_are_rejected(key, value):
    with pytest.raises(ModelError, match=f"^its metadata has {key}={value!r}, but"):
        ModelSpec.from_json(json.dumps(metadata(**{key: value})))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("labels", []),
        ("labels", ["a", 1]),
        ("labels", "abc"),
        ("input_size", [320]),
        ("input_size", [320, 0]),
        ("input_size", 320),
        ("pad", 256),
        ("pad", 0.5),
        ("exclusive", "yes"),
        ("threshold", 1.5),
        ("threshold", True),
        ("threshold", None),
    ],
)
def test_invalid_values_are_rejected(key, value):
    with pytest.raises(ModelError, match=f"its metadata has {key}="):
        ModelSpec.from_json(json.dumps(metadata(**{key: value})))


@pytest.mark.parametrize("text", ["", "{", "[1]", '"x"'])
def test_only_a_json_object_is_accepted(text):
    with pytest.raises(ModelError, match=r"its metadata is not (a )?JSON"):
        ModelSpec.from_json(text)


def test_a_spec_round_trips_through_json():
    assert ModelSpec.from_json(json.dumps(metadata())).to_json() == metadata()


@pytest.mark.parametrize(("width", "height", "inside"), LETTERBOXED)
def test_letterbox_keeps_the_aspect_ratio(width, height, inside):
    w, h = inside
    scale = (w / width, h / height)
    assert letterbox(width, height, (64, 96)) == (w, h, 0, 0, scale)
    left, top = (96 - w) // 2, (64 - h) // 2
    assert letterbox(width, height, (64, 96), centered=True) == (w, h, left, top, scale)


UNSCALED = Scale(1, 1)


def choose(selection, boxes, scores, classes, scale=UNSCALED):
    """Selected from boxes of an image of 200x100 px."""
    boxes = np.float32(boxes).reshape(-1, 4)
    return selection.select(boxes, np.float32(scores), np.array(classes, int), scale, (200, 100))


def test_class_agnostic_candidates_have_their_best_class():
    scores = np.float32([[0.5, 0.7], [0.3, 0.4], [0.5, 0.1]])
    rows, classes = Selection(0.5, class_agnostic=True).candidates(scores)
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
        (Selection(0.1, class_agnostic=True), [0, 1], [0.9]),
        (Selection(0.1, class_agnostic=False), [0, 1], [0.9, 0.8]),
        (Selection(0.1, class_agnostic=False), [1, 1], [0.9]),
        (Selection(0.1, iou_threshold=0.7, class_agnostic=True), [0, 1], [0.9, 0.8]),
    ],
)
def test_suppression_is_per_class_or_class_agnostic(selection, classes, left):
    found = choose(selection, TWO, [0.8, 0.9], classes)
    np.testing.assert_allclose(found.scores, left)


def test_classes_that_are_not_kept_still_suppress_others():
    wanted = Selection(0.1, class_agnostic=True, class_mask=np.array([False, True]))
    assert len(choose(wanted, TWO, [0.9, 0.8], [0, 1])) == 0
    assert choose(wanted, TWO, [0.8, 0.9], [0, 1]).classes.tolist() == [1]


def test_boxes_of_labels_that_become_one_suppress_each_other():
    renaming = Renaming(["person", "car", "truck"], {"car": "vehicle", "truck": "vehicle"})
    selection = Selection(0.1, renaming=renaming)
    assert choose(selection, TWO, [0.8, 0.9], [1, 2]).classes.tolist() == [1]
    assert choose(selection, TWO, [0.8, 0.9], [0, 2]).classes.tolist() == [1, 0]
    vehicles = Selection(0.1, renaming=renaming, class_mask=np.array([False, True]))
    assert choose(vehicles, TWO, [0.8, 0.9], [0, 2]).classes.tolist() == [1]


def test_labels_that_are_left_out_have_no_detections():
    renaming = Renaming(["person", "car", "truck"], {"car": None})
    assert choose(Selection(0.1, renaming=renaming), TWO, [0.8, 0.9], [2, 1]).classes.tolist() == [
        1
    ]
    last = Selection(0.1, renaming=renaming, class_mask=np.array([False, True]))
    assert len(choose(last, TWO, [0.8, 0.9], [0, 1])) == 0


def test_boxes_are_scaled_back_per_axis_and_clipped():
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
def test_boxes_without_an_area_are_dropped(box):
    found = choose(Selection(0.1), [[50, 50, 60, 60], box], [0.5, 0.9], [0, 0])
    assert found.boxes.tolist() == [[50, 50, 60, 60]]


def test_the_best_detections_come_first_up_to_the_maximum():
    apart = [[20 * i, 0, 20 * i + 10, 10] for i in range(4)]
    found = choose(Selection(0.1, max_detections=3), apart, [0.2, 0.9, 0.4, 0.6], [0] * 4)
    np.testing.assert_allclose(found.scores, [0.9, 0.6, 0.4])
    assert found.boxes[:, 0].tolist() == [20, 60, 40]


def test_of_very_many_boxes_the_best_are_compared():
    count = 50_000
    corners = np.arange(count) / count * 100
    boxes = np.stack([corners, corners, corners + 0.001, corners + 0.001], axis=1)
    found = choose(
        Selection(0.1, max_detections=1000), boxes, np.linspace(0.2, 1, count), [0] * count
    )
    assert len(found) == 1000
    assert found.scores.min() > 0.98


def test_no_boxes_have_no_detections():
    found = choose(Selection(0.1), [], [], [])
    assert found.boxes.shape == (0, 4)


def test_scores_outside_their_range_are_rejected():
    check_scores(np.float32([[0, 1], [0.5, 1.0001]]))
    check_scores(np.zeros((0, 3)))
    with pytest.raises(ModelError, match=r"^expected scores in \[0,1\], got -2 to 7: .*sigmoid"):
        check_scores(np.float32([-2, 7]))
    with pytest.raises(ModelError, match="got NaN"):
        check_scores(np.float32([0.5, np.nan]))


def test_a_spec_may_have_the_scale_of_its_scores():
    spec = ModelSpec(labels=("a",), input_size=(32, 64), score_scale=ScoreScale(0.39, 2.5))
    assert spec.to_json()["score_scale"] == [0.39, 2.5]
    assert ModelSpec.from_json(json.dumps(spec.to_json())) == spec
    plain = {k: v for k, v in spec.to_json().items() if k != "score_scale"}
    assert ModelSpec.from_json(json.dumps(plain)).score_scale is None


@pytest.mark.parametrize("value", ["high", [], [0.5], [2, 1], {"level": 0.5}])
def test_an_invalid_scale_is_rejected(value):
    spec = ModelSpec(labels=("a",), input_size=(32, 64)).to_json() | {"score_scale": value}
    with pytest.raises(ModelError, match="its metadata has score_scale="):
        ModelSpec.from_json(json.dumps(spec))
