"""Reads label files, and finds the classes that an option names.

Two kinds of file: a text file with one label a line, and the label map of the
TensorFlow Object Detection API (see `vidan.labelmap`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan import labelmap
from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.textproto import TextProtoError


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
    is_map = path.suffix == ".pbtxt" or labelmap.is_label_map(text)
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
    try:
        return {item.id: item.label for item in labelmap.parse(text)}
    except TextProtoError as error:
        raise ModelError(f"{path}:{error.line}: not a label map: {error}") from error
