"""The appearance of a person, drawn at random once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .relief import Color

FACE_KINDS = (
    "surgical",
    "bare",
    "beard",
    "cloth",
    "low",
    "ffp",
    "bare",
    "surgical",
    "beard",
    "surgical",
)
"""Faces of ten members of the cast: masks (`low` is worn below the nose), beards, or bare."""

SKIN_COLORS: tuple[Color, ...] = (
    (240, 203, 180),
    (232, 188, 160),
    (222, 172, 140),
    (205, 150, 115),
    (172, 120, 88),
    (128, 86, 62),
    (100, 66, 48),
)

HAIR_COLORS: tuple[Color, ...] = (
    (28, 24, 22),
    (44, 32, 26),
    (70, 48, 34),
    (104, 72, 46),
    (150, 112, 68),
    (150, 146, 142),
)

SURGICAL_MASK_COLORS: tuple[Color, ...] = (
    (150, 200, 226),
    (168, 210, 232),
    (140, 205, 200),
    (232, 238, 240),
)

CLOTH_MASK_COLORS: tuple[Color, ...] = (
    (30, 31, 34),
    (38, 46, 66),
    (226, 226, 222),
    (96, 112, 136),
    (30, 31, 34),
)

TOP_COLORS: tuple[Color, ...] = (
    (38, 42, 52),
    (52, 60, 84),
    (134, 48, 48),
    (206, 200, 188),
    (74, 92, 70),
    (172, 134, 74),
    (90, 120, 150),
    (60, 58, 60),
    (128, 96, 74),
    (214, 216, 220),
    (112, 74, 92),
)

TROUSERS_COLORS: tuple[Color, ...] = (
    (36, 40, 54),
    (58, 70, 98),
    (44, 42, 42),
    (104, 92, 76),
    (84, 86, 90),
)

HAIR_STYLES = ("short", "short", "crop", "long", "bob", "curly", "bald", "beanie", "side")

CLOTHES = ("tee", "jacket", "puffer", "hoodie", "coat", "shirt")


@dataclass(frozen=True, slots=True)
class Appearance:
    """The appearance of one person; colors are sRGB in 0..255.

    Attributes:
        kind: of the face, one of FACE_KINDS.
        seed: of texture and small variations.
        skin: color of the skin.
        hair: color of hair, brows and beard.
        style: of the hair or hat, one of HAIR_STYLES.
        mask: color of the mask.
        top: color of the garment on the upper body.
        trim: color of its accessories: a shirt under a coat, a scarf, a hat.
        trousers: color of the trousers.
        clothes: garment on the upper body, one of CLOTHES.
        jaw: width of the jaw relative to the face, 0.6 to 0.8.
        glasses: whether the person wears glasses.
        stature: body height, m.
        build: relative width of the body, about 1.
    """

    kind: str
    seed: int
    skin: Color
    hair: Color
    style: str
    mask: Color
    top: Color
    trim: Color
    trousers: Color
    clothes: str
    jaw: float
    glasses: bool
    stature: float
    build: float

    @property
    def masked(self) -> bool:
        """Whether the person wears a mask, correctly or not."""
        return self.kind not in ("bare", "beard")

    @classmethod
    def random(cls, seed: int, number: int) -> Appearance:
        """The appearance of the n-th member of a scene's cast."""
        rng = np.random.default_rng([seed, number, 1])
        decade, member = divmod(number, len(FACE_KINDS))
        order = np.random.default_rng([seed, decade, 2]).permutation(len(FACE_KINDS))
        kind = FACE_KINDS[order[member]]
        skin = rng.choice(len(SKIN_COLORS), p=(0.2, 0.24, 0.2, 0.14, 0.1, 0.07, 0.05))
        dark = skin > 3
        style = str(rng.choice(HAIR_STYLES))
        if kind == "beard" and style in ("long", "bob"):
            style = "crop"
        surgical = kind in ("surgical", "low")
        mask_colors = SURGICAL_MASK_COLORS if surgical else CLOTH_MASK_COLORS
        colors = rng.permutation(len(TOP_COLORS))
        return cls(
            kind=kind,
            seed=int(rng.integers(2**31)),
            skin=_vary(rng, SKIN_COLORS[skin]),
            hair=_pick(rng, HAIR_COLORS[: 2 if dark else len(HAIR_COLORS) - (kind == "beard")]),
            style=style,
            mask=_pick(rng, mask_colors),
            top=_vary(rng, TOP_COLORS[colors[0]]),
            trim=_vary(rng, TOP_COLORS[colors[1]]),
            trousers=_pick(rng, TROUSERS_COLORS),
            clothes=str(rng.choice(CLOTHES)),
            jaw=float(rng.uniform(0.62, 0.78)),
            glasses=bool(rng.random() < 0.14),
            stature=float(rng.uniform(1.60, 1.88)),
            build=float(rng.uniform(0.92, 1.1)),
        )


def _pick(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return _vary(rng, colors[rng.integers(len(colors))])


def _vary(rng: np.random.Generator, color: Color) -> Color:
    r, g, b = np.clip(np.array(color) * rng.uniform(0.93, 1.07) + rng.uniform(-4, 4, 3), 0, 255)
    return float(r), float(g), float(b)
