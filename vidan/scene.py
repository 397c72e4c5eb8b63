"""The scene of a run: lines, zones and the ground in the view of its camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SceneContext:
    """What a run knows of its scene before the first frame.

    Attributes:
        values: the config group `scene`: `path` of a scene file, or its content.
        labels: of the model; () if they are not known.
        size: width and height of the images, px; None if the source does not know them.
        read: what a reader of the scene has made of it, so that a run reads it once.
    """

    values: Mapping[str, Any]
    labels: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
