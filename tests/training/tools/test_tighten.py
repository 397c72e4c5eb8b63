"""Loose boxes become tight and keep the labels of the data."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan.testing import TruthDetector, detections
from vidan_training.data import formats
from vidan_training.evaluation.detector import DetectorUnderTest
from vidan_training.tools import tighten

LABELS = ("mask", "bare", "wrong")
RULES = tighten.TightenRules(
    min_score=0.25, min_area=0.1, crowd_score=0.2, conflicts={"wrong": "mask"}, conflict_score=0.8
)


class FixedDetector(TruthDetector):
    """Returns the same detections for every image."""

    def detect(self, frames):
        return [self._truth[0] for _ in frames]


@pytest.fixture
def data(tmp_path):
    """An image of 100x80 px with three heads: bare, bare, wrong."""
    pixels = np.full((80, 100, 3), 128, np.uint8)
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), pixels)
    boxes = [(0, 0, 40, 40), (50, 0, 90, 40), (0, 40, 40, 80)]
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 80}],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)],
        "annotations": [
            {
                "id": n,
                "image_id": 1,
                "category_id": c + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": 1600,
                "iscrowd": 0,
            }
            for n, ((x1, y1, x2, y2), c) in enumerate(zip(boxes, (1, 1, 2), strict=True), 1)
        ],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    return tmp_path


def tightened(data, boxes, scores, classes, rules=RULES):
    detector = FixedDetector([detections(boxes, scores, classes)], LABELS)
    subject = DetectorUnderTest(detector, detector, 0.3)
    found, counts = tighten.tighten(subject, formats.read(data), rules)
    return found.images[0], counts


def test_the_box_comes_from_the_detector_and_the_label_from_the_data(data):
    # The detector takes a beard in the first head for a mask, and finds nothing in the second.
    image, counts = tightened(data, [[8, 10, 32, 38]], [0.9], [0])
    assert image.boxes.tolist() == [[8, 10, 32, 38], [50, 0, 90, 40], [0, 40, 40, 80]]
    assert image.labels == ("bare", "bare", "wrong")
    assert image.crowd.tolist() == [False, True, True]
    assert counts == {"tight": 1, "crowd": 2, "new": 0}


def test_a_conflicting_label_becomes_a_crowd_where_the_detector_is_confident(data):
    confident, _ = tightened(data, [[8, 50, 32, 78]], [0.9], [0])
    assert confident.crowd.tolist() == [True, True, True]
    unconfident, _ = tightened(data, [[8, 50, 32, 78]], [0.7], [0])
    assert unconfident.crowd.tolist() == [True, True, False]


def test_unlabeled_detections_become_crowds(data):
    image, counts = tightened(data, [[60, 50, 80, 70], [90, 60, 99, 70]], [0.6, 0.1], [1, 1])
    assert image.boxes[3:].tolist() == [[60, 50, 80, 70]]
    assert image.crowd.tolist() == [True, True, True, True]
    assert counts["new"] == 1


def test_tiny_boxes_and_boxes_of_several_heads_are_not_used(data):
    # 10x10 is 6 % of a head's 1600 px²; 100x80 is five times as large.
    image, _ = tightened(data, [[15, 15, 25, 25], [0, 0, 100, 80]], [0.9, 0.9], [1, 1])
    assert image.boxes[:3].tolist() == [[0, 0, 40, 40], [50, 0, 90, 40], [0, 40, 40, 80]]


def test_faces_are_found_in_boxes_of_people_with_a_smaller_minimum_area(data):
    rules = dataclasses.replace(RULES, min_area=0.003)
    image, _ = tightened(data, [[15, 15, 25, 25], [60, 2, 61, 3]], [0.9, 0.9], [1, 1], rules)
    assert image.boxes[:2].tolist() == [[15, 15, 25, 25], [50, 0, 90, 40]]  # 1 px² is too little


def test_one_detection_replaces_only_one_box(data):
    # The only detection lies in the overlap of two heads; the second head gets none.
    image, counts = tightened(data, [[5, 20, 35, 44]], [0.9], [1])
    assert image.boxes[0].tolist() == [5, 20, 35, 44]
    assert counts["tight"] == 1


def test_the_command_with_the_included_model(data, tmp_path, capsys):
    given = [f"from={data}", f"to={tmp_path / 'tight'}"]
    rename = "rename={mask:with_mask,bare:without_mask,wrong:mask_weared_incorrect}"
    assert tighten.main([*given, rename]) == 0
    assert "3 turned into crowds" in " ".join(capsys.readouterr().out.split())
    again = formats.read(tmp_path / "tight")
    assert again.images[0].crowd.tolist() == [True] * 3
    with pytest.raises(ConfigError, match="conflicts: no label 'beard'"):
        tighten.main([*given, rename, "conflicts={beard:with_mask}"])
    given[1] = f"to={tmp_path / 'other'}"
    with pytest.raises(ConfigError, match="conflicts: no label 'mask'"):
        tighten.main([*given, rename, "conflicts={without_mask:mask}"])


def test_help_lists_the_options(capsys):
    assert tighten.main(["--help"]) == 0
    assert "conflicts: null" in capsys.readouterr().out
