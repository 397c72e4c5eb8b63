"""Label files, the built-in labels of COCO, and the classes that an option names.

A label file is either text with one label per line, or a label map of the TensorFlow Object
Detection API (see `vidan.formats.labelmap`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.formats import labelmap
from vidan.formats.textproto import TextProtoError

_TEXT = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire "
    "hydrant, , stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, "
    "bear, zebra, giraffe, , backpack, umbrella, , , handbag, tie, suitcase, frisbee, skis, "
    "snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, "
    "tennis racket, bottle, , wine glass, cup, fork, knife, spoon, bowl, banana, apple, "
    "sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted "
    "plant, bed, , dining table, , , toilet, , tv, laptop, mouse, remote, keyboard, cell "
    "phone, microwave, oven, toaster, sink, refrigerator, , book, clock, vase, scissors, "
    "teddy bear, hair drier, toothbrush"
)


_NAMES = _TEXT.split(", ")

COCO_IDS: Mapping[int, str] = {i: name for i, name in enumerate(_NAMES, 1) if name}
"""The labels by COCO's own ids, from 1 to 90 with gaps."""

COCO: Mapping[int, str] = dict(enumerate(COCO_IDS.values(), 1))
"""The 80 labels in order, from 1."""

UNUSED = "???"
"""What TensorFlow's label files have for an id that no class has."""

_NUMBERED = re.compile(r"(\d+)(?=(\s*:)?)[\s:,]+(\S.*)")
"""A line of a label file that begins with the number of the class, such as `0  person`."""

PLACEHOLDERS = (UNUSED, *labelmap.BACKGROUND_NAMES)
"""What label files have in their first line if they count from the background."""

BUILT_IN: Mapping[str, Mapping[int, str]] = {"coco": COCO, "coco91": COCO_IDS}
"""Values of `detector.labels` other than a file name."""

_VEHICLE_PERSON_BIKE: Mapping[int, str] = {1: "vehicle", 2: "person", 3: "bike"}

OPEN_MODEL_ZOO: Mapping[str, Mapping[int, str]] = {
    **{f"person-vehicle-bike-detection-200{i}": _VEHICLE_PERSON_BIKE for i in range(5)},
    "person-vehicle-bike-detection-crossroad-0078": {1: "person", 2: "vehicle", 3: "bike"},
    "person-vehicle-bike-detection-crossroad-1016": {1: "bike", 2: "vehicle", 3: "person"},
    "pedestrian-and-vehicle-detector-adas-0001": {1: "vehicle", 2: "person"},
    "person-detection-retail-0013": {1: "person"},
    **{f"vehicle-detection-020{i}": {1: "vehicle"} for i in range(3)},
}
"""The labels of models of Intel's Open Model Zoo, whose files do not have them, in their order.

What the documentation calls pedestrian is here a person, and non-vehicle a bike, as elsewhere in
it. Source: models/intel/*/README.md in github.com/openvinotoolkit/open_model_zoo.
"""


def coco_names(max_label: int | None) -> Mapping[int, str] | None:
    """The labels of COCO whose largest number this is: 80, or 90 by id; None for others."""
    return {len(COCO): COCO, max(COCO_IDS): COCO_IDS}.get(max_label or 0)


def read_labels(path: Path) -> dict[int, str]:
    """The labels of a file by class id, ids from 1 and rising.

    A label map is recognized by its suffix `.pbtxt` or by its first line. Its `display_name` is
    preferred to its `name`. In a text file the line number is the id; a first line that is one of
    `PLACEHOLDERS` has the id 0 and is no label, and another line `???` is an id that is not used.
    If all lines begin with different numbers from 0 or 1, such as `0  person`, these are the ids.

    Raises:
        ModelError: the file cannot be read, is malformed or contains no labels.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"cannot read the label file {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"the label file {str(path)!r} is not UTF-8 text") from error
    is_map = path.suffix == ".pbtxt" or labelmap.is_label_map(text)
    labels = _read_map(text, path) if is_map else _read_lines(text, path)
    if not labels:
        raise ModelError(f"the label file {str(path)!r} contains no labels")
    return labels


def class_mask(
    labels: Sequence[str], classes: Sequence[str] | None
) -> npt.NDArray[np.bool_] | None:
    """Mask (C,) bool of the classes to keep; None for all of them.

    Raises:
        ConfigError: the model does not have one of the labels.
    """
    if classes is None:
        return None
    for name in classes:
        if name not in labels:
            near = did_you_mean(name, labels)
            raise ConfigError(f"classes: the model has no label {name!r}; {near}")
    return np.array([label in classes for label in labels])


def _read_lines(text: str, path: Path) -> dict[int, str]:
    lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
    if "" in lines:
        raise ModelError(f"{path}:{lines.index('') + 1}: expected a label, got an empty line")
    return _by_number(lines, path) or numbered(lines)


def _by_number(lines: Sequence[str], path: Path) -> dict[int, str]:
    """The labels of lines that all begin with numbers, from 0 or 1; {} for others."""
    found = [each for each in map(_NUMBERED.fullmatch, lines) if each is not None]
    pairs = sorted((int(each[1]), each[3]) for each in found)
    numbers = [number for number, _ in pairs]
    if len(pairs) < len(lines) or not pairs:
        return {}
    if numbers[0] > 1 or len(set(numbers)) < len(numbers):
        if all(each[2] for each in found):  # with a colon, they are nothing else
            raise ModelError(
                f"{path}: its lines have numbers: expected each number once, from 0 or 1"
            )
        return {}
    first = pairs[0][1].lower() in PLACEHOLDERS
    shift = int(numbers[0] == 0 and not first)
    return {number + shift: name for number, name in pairs[first:] if name != UNUSED}


def numbered(names: Sequence[str]) -> dict[int, str]:
    """Labels by number, from 1, in the order of a label file: see `read_labels`."""
    first = 0 if names and names[0].lower() in PLACEHOLDERS else 1
    return {
        number: name for number, name in enumerate(names, first) if number > 0 and name != UNUSED
    }


def _read_map(text: str, path: Path) -> dict[int, str]:
    try:
        return {item.id: item.label for item in labelmap.parse(text)}
    except TextProtoError as error:
        raise ModelError(f"{path}:{error.line}: not a label map: {error}") from error
