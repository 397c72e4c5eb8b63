"""What the metadata of Ultralytics' exports says about their outputs.

Source: docs.ultralytics.com/modes/export: `task`, `names`, `kpt_shape`, `end2end`.
"""

from __future__ import annotations

from vidan.errors import ModelError

from ..metadata import literal
from .base import ModelInfo

MASKS = 32
"""Coefficients of a mask, which segmentation appends to each box."""


def extra_fields(info: ModelInfo) -> int:
    """Numbers of each box that follow its scores: of masks or keypoints.

    Raises:
        ModelError: its boxes are rotated.
    """
    check_task(info)
    task = info.properties.get("task")
    if task == "pose" or "kpt_shape" in info.properties:
        return _keypoints(info.properties.get("kpt_shape", ""))
    prototypes = [info.outputs[name] for name in info.floats(4)]
    if len(prototypes) == 1:
        _, first, _, last = prototypes[0].shape  # of a mask, height and width are larger
        return MASKS if MASKS in (first, last) else min(first, last)
    return MASKS if task == "segment" else 0


def check_task(info: ModelInfo) -> None:
    """Check that boxes are not rotated.

    Raises:
        ModelError: they are.
    """
    if info.properties.get("task") == "obb":
        raise ModelError("it finds rotated boxes (task='obb'), which vidan does not support")


def _keypoints(text: str) -> int:
    shape = literal(text)
    if isinstance(shape, list | tuple) and len(shape) == 2:
        count, dimensions = shape
        if isinstance(count, int) and isinstance(dimensions, int) and min(shape) > 0:
            return count * dimensions
    raise ModelError(f"its metadata has kpt_shape={text[:40]!r}: expected numbers such as [17, 3]")


def head(info: ModelInfo) -> str | None:
    """The only output [1,N,F] or [1,F,N]; None if there are others that say what is found.

    Masks have four axes, and the heads that YOLOv5 exports beside its output five.
    """
    found = info.floats(3)
    others = [name for name in info.outputs if name not in found]
    if len(found) != 1 or any(info.outputs[name].ndim not in (4, 5) for name in others):
        return None
    return found[0] if not set(others) & set(info.integers()) else None


def is_end_to_end(info: ModelInfo) -> bool | None:
    """Whether the graph ends with detections, by its metadata; None if that does not tell."""
    if "'nms': True" in info.properties.get("args", ""):
        return True
    return {"True": True, "False": False}.get(info.properties.get("end2end", ""))
