"""What a detection model of vidan's own form says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vidan.errors import ModelError

DEFAULT_THRESHOLD = 0.4
"""Least score of a detection where the model advises none."""

_FIXED = {"format": "efficientdet", "version": 1, "resize": "letterbox", "color": "rgb"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDefaults:
    """What holds for detections unless a user says otherwise.

    Attributes:
        labels: of the C classes.
        exclusive: whether an object has one label only, so that boxes of different classes
            suppress each other.
        threshold: the least score that the model's maker advises, in [0,1].
        iou_threshold: of two boxes that overlap by more, the better one stays, in [0,1].
    """

    labels: tuple[str, ...]
    exclusive: bool = False
    threshold: float = DEFAULT_THRESHOLD
    iou_threshold: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata(ModelDefaults):
    """How a model is to be used.

    Attributes:
        input_size: height and width of its input, px.
        pad: the value that fills what the scaled image leaves of the input, 0 to 255.
    """

    input_size: tuple[int, int]
    pad: int = 0

    @classmethod
    def from_json(cls, text: str, where: str) -> Metadata:
        """Read a model's own metadata; keys that vidan does not know are left alone.

        Args:
            text: JSON, as in `{"format": "efficientdet", "version": 1, "labels": ["face"],
                "input_size": [320, 320], "resize": "letterbox", "pad": 0, "color": "rgb",
                "exclusive": true, "threshold": 0.4}`.
            where: the model, for errors.

        Raises:
            ModelError: it is not such an object, or of a form that this vidan does not know.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ModelError(f"{where}: its metadata is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise ModelError(f"{where}: its metadata is not a JSON object: {text[:40]!r}")
        for key, known in _FIXED.items():
            if data.get(key) != known:
                raise ModelError(
                    f"{where}: its metadata says {key}={data.get(key)!r}, and this vidan knows "
                    f"only {known!r}: use the vidan that it was exported for, or export it again"
                )
        return cls(**{key: _checked(where, key, data) for key in _CHECKS})


def _checked(where: str, key: str, data: Mapping[str, Any]) -> Any:
    value = data.get(key)
    if not _CHECKS[key](value):
        raise ModelError(f"{where}: its metadata says {key}={value!r}: export it again")
    return tuple(value) if isinstance(value, list) else value


def _is_whole(value: Any, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= low


def _is_list(value: Any, each: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(each, value))


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "labels": lambda v: _is_list(v, lambda label: isinstance(label, str) and label != ""),
    "input_size": lambda v: _is_list(v, lambda n: _is_whole(n, 1)) and len(v) == 2,
    "pad": lambda v: _is_whole(v, 0) and v <= 255,
    "exclusive": lambda v: isinstance(v, bool),
    "threshold": lambda v: isinstance(v, int | float) and v is not True and 0 <= v <= 1,
}
