"""Drawing a head."""

from __future__ import annotations

from .face import Face, draw_skull
from .features import draw_features, put_glasses
from .hair import put_beard, put_hair
from .look import Look
from .masks import put_mask
from .sprite import Sprite


def draw_head(look: Look, density: float) -> Sprite:
    """The head of a person from the front, at `density` px/m.

    Its origin is in the middle, between the eyes and the tip of the nose.
    """
    face = Face(look, density)
    draw_skull(face, look)
    draw_features(face, look)
    if look.kind == "beard":
        put_beard(face, look)
    put_hair(face, look)
    if look.glasses:
        put_glasses(face)
    if look.masked:
        put_mask(face, look)
    return face.relief.render()
