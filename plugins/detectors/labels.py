"""Reads label files, and finds the classes that an option names.

Two kinds of file: a text file with one label a line, and the label map of the
TensorFlow Object Detection API, a protocol buffer in text form:

    item { id: 1 name: "/m/01g317" display_name: "person" }   # ids from 1, gaps allowed
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, ModelError, did_you_mean

from . import textproto

_MAP_BEGINS = re.compile(r"(?:\s|#.*\n)*item\s*:?\s*[{<]")


def read_labels(path: Path) -> dict[int, str]:
    """The labels of a file by class id, ids from 1 and rising.

    A label map is known by its suffix `.pbtxt` or by how it begins. Its `display_name`,
    meant for people, goes before its `name`. In a text file the line number is the id.

    Raises:
        ModelError: the file cannot be read, is not well formed or holds no labels.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ModelError(f"cannot read the label file {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"the label file {str(path)!r} is not UTF-8 text") from error
    is_map = path.suffix == ".pbtxt" or _MAP_BEGINS.match(text)
    labels = _read_map(text, path) if is_map else _read_lines(text, path)
    if not labels:
        raise ModelError(f"the label file {str(path)!r} holds no labels")
    return labels


def class_mask(
    labels: Sequence[str], classes: Sequence[str] | None
) -> npt.NDArray[np.bool_] | None:
    """Which of C classes an option keeps: (C,) bool; None for all of them.

    Raises:
        ConfigError: it names a label that there is not.
    """
    if classes is None:
        return None
    for name in classes:
        if name not in labels:
            near = did_you_mean(name, labels)
            raise ConfigError(f"detector.classes: the model has no label {name!r}; {near}")
    return np.array([label in classes for label in labels])


def _read_lines(text: str, path: Path) -> dict[int, str]:
    lines = [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
    if "" in lines:
        raise ModelError(f"{path}:{lines.index('') + 1}: expected a label, got an empty line")
    return dict(enumerate(lines, 1))


def _read_map(text: str, path: Path) -> dict[int, str]:
    labels: dict[int, str] = {}
    try:
        for item in textproto.parse(text):
            number, label = _entry(item)
            if number in labels:
                raise textproto.TextProtoError(f"id {number} is there twice", item.line)
            labels[number] = label
    except textproto.TextProtoError as error:
        raise ModelError(f"{path}:{error.line}: not a label map: {error}") from error
    return dict(sorted(labels.items()))


def _entry(item: textproto.Field) -> tuple[int, str]:
    """Id and label of one item."""
    if (item.name, item.kind) != ("item", "message"):
        raise textproto.TextProtoError(f"expected 'item {{', got {item.name!r}", item.line)
    fields = {field.name: field for field in item.fields}
    number, label = fields.get("id"), fields.get("display_name", fields.get("name"))
    if number is None or label is None:
        raise textproto.TextProtoError("an item needs an id and a name", item.line)
    if not number.text.isdecimal() or int(number.text) < 1:
        wrong = f"an id must be a whole number, 1 or more, got {number.text!r}"
        raise textproto.TextProtoError(wrong, number.line)
    if label.kind != "string" or not label.text:
        raise textproto.TextProtoError("a name must be a string in quotes", label.line)
    return int(number.text), label.text
