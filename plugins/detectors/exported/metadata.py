"""What the metadata of an exported model says about its labels and its images.

    names, imgsz               Ultralytics: labels as {0: 'person', ...}; height and width
    labels, classes            the same, or a list, as other programs write them
    model_info/labels          OpenVINO's Model API: labels, separated by spaces
    model_info/mean_values     … and how images are to be prepared, with scale_values,
                               reverse_input_channels (the model takes RGB), resize_type, pad_value
    conversion_parameters/…    OpenVINO's Model Optimizer: steps that it put into the graph
    model_name                 the name of a model of Intel's Open Model Zoo

Sources: docs.ultralytics.com/modes/export; github.com/open-edge-platform/model_api; Model
Optimizer, `mo --help` (`--scale_values`, `--mean_values`, `--reverse_input_channels`).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

from vidan.errors import ModelError

from ..labels import OPEN_MODEL_ZOO, numbered
from ..preprocess import BLACK, WHITE, Letterbox
from .run import Labels

PACKED = "labels"
"""Key of the labels packed into a TFLite file."""

LABEL_KEYS = ("names", PACKED, "classes", "class_names")
PLAIN_LIST = re.compile(r"[^][{}()'\":,]+(,[^][{}()'\":,]+)+")
CONVERSION = "conversion_parameters"
MODEL_API = "model_info"

RESIZE_TYPES: Mapping[str, Letterbox] = {
    "standard": "stretch",
    "fit_to_window": "corner",
    "fit_to_window_letterbox": "center",
}
"""The Model API's names of the ways in which an image is placed."""

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def own_labels(properties: Mapping[str, str]) -> Labels | None:
    """The labels that a model's metadata names, or that its name in the Open Model Zoo implies.

    Raises:
        ModelError: they are not labels.
    """
    for key in LABEL_KEYS:
        found = _listed(properties.get(key), key == PACKED)
        if found is not None:
            return found
    if "names" in properties:
        raise ModelError(
            f"its metadata has names={properties['names'][:60]!r}, which are not labels: set "
            "detector.labels=<file>"
        )
    listed = properties.get(f"{MODEL_API}/labels", "").split()
    return numbered(listed) or OPEN_MODEL_ZOO.get(properties.get("model_name", ""))


def _listed(text: str | None, is_file: bool) -> Labels | None:
    """Labels from a list, or from a mapping by number from 0; in Python's notation, or JSON.

    Args:
        text: the value; labels separated by commas are a list too.
        is_file: whether a list may be a label file, with a placeholder first.
    """
    names = literal(text)
    if names is None and text is not None and PLAIN_LIST.fullmatch(text):
        names = [name.strip() for name in text.split(",")]
    if isinstance(names, list):
        if not names or not all(isinstance(name, str) and name for name in names):
            return None
        return (numbered(names) or None) if is_file else dict(enumerate(names, 1))
    if not isinstance(names, dict):
        return None
    try:
        by_number = {int(number) + 1: name for number, name in names.items()}
    except (ValueError, TypeError):
        return None
    valid = by_number and min(by_number) >= 1
    if not valid or not all(isinstance(name, str) for name in by_number.values()):
        return None
    return dict(sorted(by_number.items()))


def stored_size(properties: Mapping[str, str]) -> tuple[int, int] | None:
    """Height and width of the input that the metadata has, px."""
    stored = literal(properties.get("imgsz"))
    if isinstance(stored, list) and len(stored) == 2 and all(isinstance(n, int) for n in stored):
        return stored[0], stored[1]
    return None


def image_hints(properties: Mapping[str, str]) -> dict[str, Any]:
    """Fields of `Preprocessing` that the metadata settles."""
    if f"{MODEL_API}/model_type" in properties:
        return _model_api(properties)
    if any(key.startswith(f"{CONVERSION}/") for key in properties):
        return _converted(properties)
    return {}


def _converted(properties: Mapping[str, str]) -> dict[str, Any]:
    """The image that is left to prepare for a graph that contains some of the steps itself."""
    hints: dict[str, Any] = {}
    if properties.get(f"{CONVERSION}/reverse_input_channels") == "True":
        hints["channels"] = "bgr"
    if any(_numbers(properties, f"{CONVERSION}/{key}_values") for key in ("scale", "mean")):
        hints |= {"scale": 255.0, "mean": BLACK, "std": WHITE}
    return hints


def _model_api(properties: Mapping[str, str]) -> dict[str, Any]:
    reverse = properties.get(f"{MODEL_API}/reverse_input_channels", "").lower()
    hints: dict[str, Any] = {"scale": 255.0, "channels": "rgb" if reverse in _TRUE else "bgr"}
    mean = _color(properties, f"{MODEL_API}/mean_values", BLACK)
    std = _color(properties, f"{MODEL_API}/scale_values", WHITE)
    if hints["channels"] == "bgr":  # they are in the order of the channels
        mean, std = mean[::-1], std[::-1]
    hints |= {"mean": mean, "std": std}
    placed = RESIZE_TYPES.get(properties.get(f"{MODEL_API}/resize_type", ""))
    if placed is not None:
        hints["letterbox"] = placed
    pad = _numbers(properties, f"{MODEL_API}/pad_value")
    if pad:
        hints["pad"] = (pad[0],) * 3
    return hints


_TRUE = ("true", "yes", "1")


def _color(properties: Mapping[str, str], key: str, usual: tuple[float, ...]) -> tuple[float, ...]:
    found = _numbers(properties, key)
    return {1: found * 3, 3: found}.get(len(found), usual)


def _numbers(properties: Mapping[str, str], key: str) -> tuple[float, ...]:
    """The numbers in a text such as `image[255.0]` or `123.7 116.3 103.5`."""
    text = re.sub(r"[\w.]+\[", "[", properties.get(key, ""))
    return tuple(map(float, NUMBER.findall(text)))


def literal(text: str | None) -> Any:
    """The Python literal or the JSON value that a text is; None if it is neither."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text or "None")
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    return None
