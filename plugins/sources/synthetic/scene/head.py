"""Drawing a head."""

from __future__ import annotations

from .appearance import Appearance
from .face import Face, draw_skull
from .features import draw_features, draw_glasses
from .hair import draw_beard, draw_hair
from .masks import draw_mask
from .sprite import Sprite


def draw_head(appearance: Appearance, density: float) -> Sprite:
    """The head of a person from the front, at `density` px/m.

    Its origin is in the center, between the eyes and the tip of the nose.
    """
    face = Face(appearance, density)
    draw_skull(face, appearance)
    draw_features(face, appearance)
    if appearance.kind == "beard":
        draw_beard(face, appearance)
    draw_hair(face, appearance)
    if appearance.glasses:
        draw_glasses(face)
    if appearance.masked:
        draw_mask(face, appearance)
    return face.relief.render()
