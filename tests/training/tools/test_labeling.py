"""Certain detections become boxes, uncertain ones crowds; labels that exist stay."""

import cv2
import numpy as np
import pytest

from vidan.testing import TruthDetector, detections
from vidan_training.data.formats.dataset import AnnotatedImage
from vidan_training.data.image_files import ImageFile
from vidan_training.tools.labeling import LEFT_OUT, Labeler, LabelRules

LABELS = ("person", "vehicle")
PERSON, VEHICLE, BIKE = [0, 0, 10, 30], [40, 0, 80, 20], [60, 40, 80, 60]


class FixedDetector(TruthDetector):
    """Returns the same detections for every image."""

    def detect(self, frames):
        return [self._truth[0] for _ in frames]


@pytest.fixture
def file(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((80, 100, 3), 128, np.uint8))
    return ImageFile(tmp_path / "a.png")


def image(file, boxes=(), labels=()):
    flags = np.zeros(len(boxes), bool)
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    return AnnotatedImage(
        file, "a.png", (100, 80), corners, tuple(labels), flags, flags, np.ones(len(boxes))
    )


def labeled(given, *found, **rules):
    """Label an image by detectors of person, bike and vehicle, where a bike is a crowd."""
    values = {"min_score": 0.5, "crowd_score": 0.3, "iou_threshold": 0.55} | rules
    detectors = [FixedDetector([d], ("person", "bike", "vehicle")) for d in found]
    classes = [np.array([0, len(LABELS), 1], np.int32)] * len(found)
    return Labeler(detectors, classes, LabelRules(LABELS, **values)).label([given])[0]


def test_scores_decide_between_boxes_crowds_and_nothing(file):
    found = detections([PERSON, VEHICLE, BIKE], [0.8, 0.4, 0.2], [0, 2, 2])
    result = labeled(image(file), found)
    assert result.boxes.tolist() == [PERSON, VEHICLE]
    assert result.labels == ("person", "vehicle")
    assert result.crowd.tolist() == [False, True]
    assert result.weights == pytest.approx([0.8, 1])


def test_two_uncertain_detectors_are_certain_together(file):
    found = detections([PERSON], [0.4], [0])
    result = labeled(image(file), found, found)
    assert result.crowd.tolist() == [False]
    assert result.weights == pytest.approx([0.64])


def test_crowd_labels_are_crowds_at_any_score(file):
    result = labeled(image(file), detections([BIKE], [0.9], [1]))
    assert result.boxes.tolist() == [BIKE]
    assert result.crowd.tolist() == [True]


def test_an_uncertain_box_of_an_object_with_a_box_is_left_out(file):
    found = detections([PERSON, [0, 0, 10, 25]], [0.9, 0.4], [0, 2])  # IoU 25/30
    assert labeled(image(file), found).boxes.tolist() == [PERSON]


def test_labeled_boxes_stay_and_what_nobody_labeled_becomes_a_crowd(file):
    given = image(file, [[0, 0, 10, 28]], ["person"])
    found = detections([PERSON, VEHICLE], [0.9, 0.9], [0, 2])
    result = labeled(given, found, complete=())
    assert result.boxes.tolist() == [[0, 0, 10, 28], VEHICLE]
    assert result.crowd.tolist() == [False, True]


def test_labels_to_complete_get_boxes(file):
    given = image(file, [[0, 0, 10, 28]], ["person"])
    found = detections([VEHICLE, BIKE], [0.9, 0.4], [2, 2])
    result = labeled(given, found, complete=("vehicle",))
    assert result.labels == ("person", "vehicle", "vehicle")
    assert result.crowd.tolist() == [False, False, True]


def test_a_person_in_a_labeled_vehicle_is_another_object(file):
    given = image(file, [VEHICLE], ["vehicle"])
    result = labeled(given, detections([VEHICLE], [0.9], [0]), complete=("person",))
    assert result.labels == ("vehicle", "person")


def test_classes_that_are_left_out(file):
    found = FixedDetector([detections([PERSON], [0.9], [0])], ("person",))
    rules = LabelRules(LABELS, 0.5, 0.3, 0.55)
    labeler = Labeler([found], [np.array([LEFT_OUT], np.int32)], rules)
    assert len(labeler.label([image(file)])[0].boxes) == 0
