import inspect

import pytest

from vidan import create
from vidan.errors import ConfigError, ModelError
from vidan.modelspec import ModelDefaults
from vidan.registry.discovery import load_plugins
from vidan_plugins.detectors.base import DetectorOptions

DEFAULTS = ModelDefaults(labels=("mask", "bare"), class_agnostic=True, threshold=0.25)


def from_options(**given):
    return DetectorOptions(**given).selection(DEFAULTS)


def test_options_override_the_defaults_of_the_model():
    advised = from_options()
    assert (advised.threshold, advised.class_agnostic) == (0.25, True)
    assert (advised.class_mask, advised.max_detections) == (None, None)
    given = from_options(threshold=0, class_agnostic=False, classes="bare", max_detections=7)
    assert (given.threshold, given.class_agnostic, given.max_detections) == (0, False, 7)
    assert given.class_mask.tolist() == [False, True]


def test_classes_are_among_the_new_labels():
    given = from_options(rename={"bare": "face"}, classes="face")
    assert given.class_mask.tolist() == [False, True]
    with pytest.raises(ConfigError, match="no label 'bare'"):
        from_options(rename={"bare": "face"}, classes="bare")


def test_labels_that_become_one_are_suppressed_here():
    own = ModelDefaults(labels=("mask", "bare"), iou_threshold=1)  # suppressed in the graph

    def threshold(**given):
        return DetectorOptions(**given).selection(own).iou_threshold

    assert threshold(rename={"bare": "face"}) == 1
    assert threshold(rename={"bare": "mask"}) == 0.5
    assert threshold(rename={"bare": "mask"}, iou_threshold=0.9) == 0.9


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("threshold", 1.5),
        ("iou_threshold", -1),
        ("class_agnostic", 1),
        ("classes", []),
        ("classes", ["msak"]),
        ("max_detections", 0),
        ("rename", {"rde": "x"}),
        ("rename", {"red": 3}),
        ("rename", "red"),
    ],
)
def test_bad_options_are_rejected(toy, option, value):
    with pytest.raises(ConfigError, match=f"^detector.{option}[:=]"):
        create("detector", "onnx", model=toy(), **{option: value})


def test_a_label_that_is_too_long_is_rejected(toy):
    with pytest.raises(ModelError, match=r"label 2, 'b{20}'.*, has 20000 char"):
        create("detector", "onnx", model=toy(), labels=["a", "b" * 20_000, "c"])


def test_detections_have_a_limit_by_default(toy):
    assert create("detector", "onnx", model=toy())._model._selection.max_detections == 1000


def test_all_detectors_rename_labels():
    own = [c for c in load_plugins().registry if c.kind == "detector" and c.package.name == "vidan"]
    assert len(own) >= 3
    for component in own:
        assert "rename" in inspect.signature(component.load()).parameters, component.name
