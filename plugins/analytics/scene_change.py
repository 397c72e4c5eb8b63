"""What of the lines, zones or ground of a scene stays when the scene is edited during a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from ..formats.scene_file import Ground, Line, Outline, Zone

Kept = Sequence[int | None]
"""For each new shape, the index of the same one before; None if it is new or was changed."""


def kept_shapes(before: Sequence[Line | Zone], after: Sequence[Line | Zone]) -> list[int | None]:
    """Which shapes are as they were, wherever they are in the scene."""
    indices = {_definition(shape): index for index, shape in enumerate(before)}
    return [indices.get(_definition(shape)) for shape in after]


def same_ground(before: Ground | None, after: Ground | None) -> bool:
    """Whether the ground is as it was."""
    return _definition(before) == _definition(after)


def _definition(shape: Any) -> str:
    if shape is None:
        return ""
    if isinstance(shape, Outline):
        return repr((shape.points.tolist(), shape.fractions, shape.drawn_for))
    return repr(
        [
            _definition(value) if isinstance(value, Outline) else value
            for value in (getattr(shape, field.name) for field in fields(shape))
        ]
    )
