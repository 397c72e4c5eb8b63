"""Hair, hats and beards. Lengths are in half face widths, as in face.py."""

from __future__ import annotations

import numpy as np

from .appearance import Appearance
from .face import Face
from .relief import Array, linear, smoothstep


def hair_color(appearance: Appearance, strands: Array) -> Array:
    """Linear color of hair (3,H,W) whose brightness varies with `strands` (H,W)."""
    light = np.clip(1 + 0.30 * strands, 0.35, 2.2)
    return np.asarray(linear(appearance.hair) * light + 0.004, np.float32)


def draw_hair(face: Face, appearance: Appearance) -> None:
    """Draw hair or a hat on a head."""
    if appearance.style == "beanie":
        _beanie(face, appearance)
    elif appearance.style == "bald":
        _cap(face, appearance, thick=0.02, line=-1.05, opacity=0.13)
    elif appearance.style == "crop":
        _cap(face, appearance, thick=0.05, line=-0.98, opacity=0.85)
    elif appearance.style == "curly":
        _cap(face, appearance, thick=0.30, line=-0.92, curls=True)
    else:
        if appearance.style in ("long", "bob"):
            _curtain(face, appearance, 2.1 if appearance.style == "long" else 0.95)
        _cap(face, appearance, thick=0.15, line=-0.90, parting=appearance.style == "side")


def _cap(
    face: Face,
    appearance: Appearance,
    thick: float,
    line: float,
    opacity: float = 1.0,
    curls: bool = False,
    parting: bool = False,
) -> None:
    """Hair on top and at the temples.

    Args:
        face: to draw on.
        appearance: of the person.
        thick: height of the hair above the skull.
        line: y of the hairline at the forehead.
        opacity: of the hair.
        curls: curly instead of straight hair.
        parting: whether the fringe falls to one side.
    """
    r = face.relief
    ax = np.abs(face.x)
    grain = face.noise(0.05, 0.05) if curls else face.noise(0.02, 0.10)
    lift = thick * (1 + 0.10 * face.noise(0.2, 0.2)) if curls else thick
    outline = np.sqrt(((face.x) / (1.0 + lift * 0.8)) ** 2 + ((face.y + 0.52) / (1.08 + lift)) ** 2)
    outside = (1 - outline) * (1.0 + lift)
    fringe = line + 0.10 * face.x * (1 if parting else 0.2) + 0.06 * face.noise(0.1, 0.2)
    # Straight across the forehead, then down the temples in front of the ears.
    hairline = fringe + 0.10 * ax**2 + 0.9 * smoothstep(0.74, 0.97, ax)
    above = hairline - face.y
    inside = np.minimum(outside + 0.02 * grain, above)
    mask = smoothstep(-0.03, 0.05, inside)
    mask *= smoothstep(0.22, 0.02, face.y)
    strands = 0.7 * grain + 0.5 * face.noise(0.08, 0.25)
    r.paint(mask, hair_color(appearance, strands), opacity)
    solid = mask if opacity > 0.5 else mask * face.skin
    r.cover(solid)
    # Rounded above the skull, with a slight shadow on the forehead.
    round_ = np.sqrt(np.clip(1 - outline**2, 0, 1))
    bulge = round_ * 0.075
    r.height += mask * (np.maximum(bulge - r.height, 0) * 0.9 + 0.004 * opacity)
    r.height += mask * grain * (0.0030 if curls else 0.0010)
    if opacity > 0.5:
        shade = smoothstep(0.12, 0.0, face.y - hairline) * face.skin
        r.shade(1 - 0.35 * shade * (1 - mask) * (thick > 0.1))


def _curtain(face: Face, appearance: Appearance, down: float) -> None:
    """Long hair behind and beside the face, down to y = `down`."""
    r = face.relief
    ax = np.abs(face.x)
    width = 1.17 + 0.06 * np.sin(face.y * 2.2) + 0.03 * face.noise(0.1, 0.4)
    inner = 0.90 - 0.06 * smoothstep(0.4, 1.2, face.y)
    end = down + 0.06 * face.noise(0.08, 0.3)
    sides = np.minimum(np.minimum(width - ax, face.y + 0.9), end - face.y)
    # Below the chin it leaves the throat free.
    parted = sides - 2 * np.maximum(0.74 + 0.03 * face.noise(0.1, 0.4) - ax, 0) * (face.y > 0.3)
    behind = smoothstep(-0.03, 0.05, parted) * (1 - face.skin)
    over = smoothstep(-0.02, 0.05, np.minimum(sides, ax - inner))
    mask = np.maximum(behind, over)
    strands = face.noise(0.025, 0.5) + 0.5 * face.noise(0.1, 0.4)
    shade = 0.55 + 0.45 * smoothstep(0.75, 1.05, ax)
    r.paint(mask, hair_color(appearance, strands) * shade)
    r.cover(mask)
    swell = np.sqrt(np.clip(1 - ((ax - 1.02) / 0.2) ** 2, 0, 1)) * 0.014
    r.height += mask * (0.012 + swell + 0.0012 * strands)


def _beanie(face: Face, appearance: Appearance) -> None:
    """A knitted hat with a folded rim, and some hair at the temples."""
    _cap(face, appearance, thick=0.04, line=-0.75, opacity=0.9)
    r = face.relief
    ax = np.abs(face.x)
    outline = np.sqrt((face.x / 1.10) ** 2 + ((face.y + 0.66) / 1.20) ** 2)
    rim = -0.66 + 0.07 * ax**2
    mask = face.edge(np.minimum((1 - outline) * 1.1, rim - face.y))
    r.paint(mask, appearance.trim)
    r.cover(mask)
    ribs = np.sin(np.arcsin(np.clip(face.x / 1.12, -1, 1)) * 34)
    fold = smoothstep(rim - 0.40, rim - 0.36, face.y + 0 * face.x)
    round_ = np.sqrt(np.clip(1 - outline**2, 0, 1)) * 0.09
    knit = ribs * 0.0012 + 0.0006 * face.noise(0.03, 0.03)
    relief = round_ + knit + fold * 0.006
    r.height += mask * (relief - r.height)
    r.gloss *= 1 - mask
    shade = smoothstep(0.12, 0.0, face.y - rim) * face.skin * (1 - mask)
    r.shade(1 - 0.4 * shade)


def draw_beard(face: Face, appearance: Appearance) -> None:
    """Draw a mustache and a full beard; the lips stay free."""
    r = face.relief
    length = face.rng.uniform(0.04, 0.24)
    ragged = 0.025 * face.noise(0.03, 0.03)
    ax = np.abs(face.x)
    # The upper edge descends from the sideburns to the corners of the mouth.
    top = 0.02 + 0.72 * smoothstep(0.98, 0.50, ax) - 0.24 * smoothstep(0.42, 0.25, ax)
    # Below the cheeks it is half an ellipse.
    level = 0.50
    broad = float(np.interp(level, face.y[:, 0], face.half[:, 0])) + 0.03
    drop = 1.22 + length - level
    hanging = (1 - np.hypot(face.x / broad, (face.y - level) / drop)) * broad
    inside = np.where(face.y > level, hanging, face.half + 0.02 - ax)
    inside = np.minimum(inside, face.y - top)
    beard = smoothstep(-0.06, 0.07, inside + ragged)
    lips = smoothstep(1.15, 0.85, np.hypot(face.x / 0.35, (face.y - 0.71) / 0.10))
    cover = beard * (1 - lips)
    strands = face.noise(0.014, 0.07)
    color = hair_color(appearance, strands + 0.5 * face.noise(0.1, 0.1))
    r.paint(cover, color, 0.80)
    r.cover(beard)
    r.height += cover * (0.05 + strands * 0.007) * face.unit
    r.gloss *= 1 - cover
