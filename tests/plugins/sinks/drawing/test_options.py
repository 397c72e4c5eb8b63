"""What is drawn, and what is not."""

from dataclasses import replace

import numpy as np
import pytest

import vidan
from vidan import ArrayFrame, ConfigError, Detections, Result, Shape, Tracks
from vidan_plugins.sinks.drawing.options import Drawing
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.drawing.palette import color_of
from vidan_plugins.sinks.drawing.text import Text


def result(labels=("thing", "other"), size=(320, 240)):
    """Track 5 of class 1, and a detection of class 0 without a track."""
    boxes = np.array([[50, 60, 110, 150], [200, 60, 260, 150]], np.float32)
    found = Detections(boxes, np.full(2, 0.5, np.float32), np.array([1, 0], np.int32))
    tracks = Tracks(
        np.array([5]), boxes[:1], found.scores[:1], found.classes[:1],
        np.zeros(1, np.int32), np.zeros(1, np.int32),
    )  # fmt: skip
    trail = Shape("path", np.array([[80, 150], [80, 220]], np.float32), 5)
    line = Shape("path", np.array([[20, 230], [300, 230]], np.float32), rule="door")
    frame = ArrayFrame(np.zeros((size[1], size[0], 3), np.uint8))
    return Result(frame, found, tracks, labels, shapes=(trail, line))


def count(image, color):
    return int((image == color).all(axis=2).sum())


@pytest.fixture
def texts(monkeypatch):
    """All texts that are drawn."""
    drawn = []
    monkeypatch.setattr(Text, "draw", lambda self, image, text, *rest: drawn.append(text))
    return drawn


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"#5 other", "thing"}),
        ({"labels": False}, {"#5"}),
        ({"ids": False}, {"other", "thing"}),
        ({"scores": True}, {"#5 other 0.50", "thing 0.50"}),
        ({"ids": False, "labels": False, "scores": True}, {"0.50"}),
        ({"unconfirmed": False}, {"#5 other"}),
        ({"classes": ["other"]}, {"#5"}),
    ],
)
def test_labels_have_the_chosen_parts(texts, options, expected):
    vidan.draw(result(), **options)
    assert set(texts) == expected


def test_a_single_class_needs_no_text(texts):
    one = result(labels=("thing",))
    tracks = replace(one.tracks, classes=np.zeros(1, np.int32))
    one = replace(one, detections=Detections.empty(), tracks=tracks)
    vidan.draw(one)
    assert texts == ["#5"]
    texts.clear()
    vidan.draw(one, labels=True)
    assert texts == ["#5 thing"]


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("boxes", (100, 50)),
        ("unconfirmed", (100, 200)),
        ("trails", (200, 80)),
        ("scene", (230, 150)),
    ],
)
def test_each_part_can_be_left_out(option, place):
    assert vidan.draw(result())[place].any()
    assert not vidan.draw(result(), **{option: False})[place].any()


def test_boxes_and_trails_have_the_color_of_the_identity_or_of_the_label():
    for color, number in (("identity", 5), ("label", 1)):
        image = vidan.draw(result(), color=color)
        assert tuple(image[100, 50]) == tuple(image[200, 80]) == color_of(number)


def test_the_line_width_is_in_px():
    image = vidan.draw(result(), line_width=6)
    assert image[100, 45:56].any(axis=1).sum() in (6, 7)


def test_the_roi_has_an_outline_in_images_of_any_size():
    painter = Painter(Drawing(roi=(160, 0, 320, 120)))
    small = painter.annotate(result(), (160, 120))
    assert small[30, 80].any()
    assert vidan.draw(result(), roi=[0.5, 0, 1, 0.5])[30, 160].any()
    assert not vidan.draw(result())[30, 160].any()


def test_the_legend_names_the_line_styles_and_the_colors_of_labels(texts):
    vidan.draw(result(), legend=True, color="label", ids=False, labels=False)
    assert texts == [
        "track",
        "track, not detected now",
        "detection, no track yet",
        "thing",
        "other",
    ]


def test_the_legend_names_only_labels_that_the_detector_keeps(texts):
    for classes in ("other", ["other"]):
        texts.clear()
        vidan.draw(result(), legend=True, color="label", ids=False, labels=False, classes=classes)
        assert texts[3:] == ["other"]


def test_no_box_crosses_the_legend():
    one = result()
    boxes = one.tracks.boxes.copy()
    boxes[0] = (2, 100, 60, 236)
    over = replace(one, tracks=replace(one.tracks, boxes=boxes), detections=Detections.empty())
    images = [vidan.draw(each, legend=True, ids=False, labels=False) for each in (one, over)]
    assert (images[0][200:, :60] == images[1][200:, :60]).all()


def test_drawing_leaves_the_frame_as_it_was():
    one = result()
    image = vidan.draw(one)
    assert image.shape == (240, 320, 3)
    assert image.any()
    assert not one.frame.rgb().any()


def test_nothing_is_drawn_with_none():
    assert not Painter.of(None).annotate(result()).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": True}, "label: did you mean 'labels'"),
        ({"color": "ids"}, "color='ids': there is identity, label"),
        ({"line_width": 0}, "line_width: expected `int` >= 1"),
        ({"roi": [0.5, 0, 0.2, 1]}, r"roi=\[0.5, 0, 0.2, 1\]: expected left"),
    ],
)
def test_errors_name_the_option(options, message):
    with pytest.raises(ConfigError, match=f"^{message}"):
        vidan.draw(result(), **options)
    with pytest.raises(ConfigError, match=rf"^sink\.drawing\.{message}"):
        vidan.create("sink", "discard", drawing=options)
