"""What a person looks like: chosen by chance, once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .relief import Color

KINDS = (
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
"""What is on the faces of any ten people in a row; `low` is a mask worn below the nose."""

SKIN: tuple[Color, ...] = (
    (240, 203, 180),
    (232, 188, 160),
    (222, 172, 140),
    (205, 150, 115),
    (172, 120, 88),
    (128, 86, 62),
    (100, 66, 48),
)

HAIR: tuple[Color, ...] = (
    (28, 24, 22),
    (44, 32, 26),
    (70, 48, 34),
    (104, 72, 46),
    (150, 112, 68),
    (150, 146, 142),
)

SURGICAL: tuple[Color, ...] = ((150, 200, 226), (168, 210, 232), (140, 205, 200), (232, 238, 240))

CLOTH: tuple[Color, ...] = (
    (30, 31, 34),
    (38, 46, 66),
    (226, 226, 222),
    (96, 112, 136),
    (30, 31, 34),
)

TOP: tuple[Color, ...] = (
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

TROUSERS: tuple[Color, ...] = (
    (36, 40, 54),
    (58, 70, 98),
    (44, 42, 42),
    (104, 92, 76),
    (84, 86, 90),
)

STYLES = ("short", "short", "crop", "long", "bob", "curly", "bald", "beanie", "side")

CLOTHES = ("tee", "jacket", "puffer", "hoodie", "coat", "shirt")


@dataclass(frozen=True, slots=True)
class Look:
    """One person's looks.

    Attributes:
        kind: what is on the face, one of KINDS.
        seed: of all grain and small variation.
        skin: sRGB, as the other colors.
        hair: color of hair, brows and beard.
        style: of the hair or hat, one of STYLES.
        mask: color of the mask.
        top: color of what is worn above.
        trim: color of what goes with it: a shirt under a coat, a scarf, a hat.
        trousers: color of the trousers.
        clothes: what is worn above, one of CLOTHES.
        jaw: half the width of the jaw, of the face's; (0.6 to 0.8).
        glasses: whether glasses are worn.
        stature: height, m.
        build: width of the body, of the usual one.
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
        """Whether there is a mask on the face, worn well or not."""
        return self.kind not in ("bare", "beard")

    @classmethod
    def of(cls, seed: int, character: int) -> Look:
        """The looks of a scene's n-th character."""
        rng = np.random.default_rng([seed, character, 1])
        order = np.random.default_rng([seed, character // len(KINDS), 2]).permutation(len(KINDS))
        kind = KINDS[order[character % len(KINDS)]]
        skin = rng.choice(len(SKIN), p=(0.2, 0.24, 0.2, 0.14, 0.1, 0.07, 0.05))
        dark = skin > 3
        style = str(rng.choice(STYLES))
        if kind == "beard" and style in ("long", "bob"):
            style = "crop"
        colors = rng.permutation(len(TOP))
        return cls(
            kind=kind,
            seed=int(rng.integers(2**31)),
            skin=_near(rng, SKIN[skin]),
            hair=_near(rng, HAIR[rng.integers(2 if dark else len(HAIR) - (kind == "beard"))]),
            style=style,
            mask=_pick(rng, SURGICAL if kind in ("surgical", "low") else CLOTH),
            top=_near(rng, TOP[colors[0]]),
            trim=_near(rng, TOP[colors[1]]),
            trousers=_pick(rng, TROUSERS),
            clothes=str(rng.choice(CLOTHES)),
            jaw=float(rng.uniform(0.62, 0.78)),
            glasses=bool(rng.random() < 0.14),
            stature=float(rng.uniform(1.60, 1.88)),
            build=float(rng.uniform(0.92, 1.1)),
        )


def _pick(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return _near(rng, colors[rng.integers(len(colors))])


def _near(rng: np.random.Generator, color: Color) -> Color:
    r, g, b = np.clip(np.array(color) * rng.uniform(0.93, 1.07) + rng.uniform(-4, 4, 3), 0, 255)
    return float(r), float(g), float(b)
