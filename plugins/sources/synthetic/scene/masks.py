"""Face masks: surgical with pleats, cloth and FFP2; worn correctly, or below the nose.

Lengths are in half face widths, as in face.py.
"""

from __future__ import annotations

import cv2
import numpy as np

from .appearance import Appearance
from .face import Face
from .relief import Array, smoothstep

WHITE = (238.0, 240.0, 240.0)


def draw_mask(face: Face, appearance: Appearance) -> None:
    """Draw the person's mask on the face; `low` leaves the nose uncovered."""
    shape = "surgical" if appearance.kind == "low" else appearance.kind
    top, bottom, side = _edges(face, appearance.kind)
    ax = np.abs(face.x)
    mask = face.edge(np.minimum(np.minimum(face.y - top, bottom - face.y), side - ax))
    _shadow(face, mask)
    _loops(face, appearance)
    color = WHITE if shape == "ffp" else appearance.mask
    r = face.relief
    r.paint(mask, color)
    r.cover(mask)
    r.gloss *= 1 - mask
    height = {"surgical": _pleats, "cloth": _seam, "ffp": _ridge}[shape](face, top, bottom)
    r.height += mask * (height - r.height)
    # A hem all around, slightly darker than the fabric.
    inset = np.minimum(np.minimum(face.y - top, bottom - face.y), side - ax)
    hem = np.exp(-0.5 * ((inset - 0.07) / 0.016) ** 2) * mask
    r.shade(1 - 0.22 * hem)
    if shape == "surgical":
        edge = smoothstep(0.075, 0.05, face.y - top) * mask
        r.paint(edge, WHITE, 0.55)
    r.shade(1 + mask * 0.03 * face.noise(0.04, 0.04))


def _edges(face: Face, kind: str) -> tuple[Array, Array, Array]:
    """Upper and lower edge (1,W) and half the width (H,1) of a mask."""
    ax = np.abs(face.x)
    nose = -0.02 + face.rng.uniform(-0.05, 0.05)
    top = nose + 0.20 * smoothstep(0.05, 0.45, ax) + 0.10 * smoothstep(0.45, 0.9, ax)
    bottom = 1.30 - 0.42 * ax**2.2
    if kind == "low":
        top = 0.57 + 0.03 * smoothstep(0.05, 0.45, ax) - 0.06 * smoothstep(0.45, 0.9, ax)
        bottom = 1.36 - 0.42 * ax**2.2
    if kind == "ffp":
        bottom = 1.32 - 0.75 * ax**1.7
    side = np.minimum(0.90, face.half * 0.985 + 0.02) + 0 * face.y
    # Below the jaw it spans from cheek to chin.
    side = np.maximum(side, np.where(face.y > 0.3, 0.90 - 0.55 * (face.y - 0.5), 0))
    side = np.minimum(side, 0.90)
    return np.asarray(top, "f4"), bottom, side


def _bulge(face: Face, depth: float, top: Array, bottom: Array) -> Array:
    """Height of the fabric, m: curved horizontally, and less so vertically."""
    across = np.clip(1 - (face.x / 1.0) ** 2, 0, 1) ** 0.55
    t = np.clip((face.y - top) / (bottom - top), 0, 1)
    down = 0.86 + 0.20 * np.sin(np.pi * np.clip(t * 0.9 + 0.05, 0, 1)) - 0.14 * t**3
    return np.asarray(depth * across * down * face.unit, np.float32)


def _pleats(face: Face, top: Array, bottom: Array) -> Array:
    """Height with three horizontal pleats, deepest in the middle, and some creases, m."""
    height = _bulge(face, 1.06, top, bottom)
    t = (face.y - top) / (bottom - top)
    sag = 0.05 * (face.x**2)
    for at in (0.30, 0.50, 0.70):
        step = smoothstep(at - 0.035, at + 0.012, t + sag)
        drop = smoothstep(at + 0.20, at + 0.012, t + sag)
        height += 0.0042 * step * drop * smoothstep(0.95, 0.5, np.abs(face.x))
    creases = face.noise(0.22, 0.05) * smoothstep(0.2, 0.8, np.abs(face.x))
    return np.asarray(height + 0.0006 * creases + 0.0003 * face.noise(0.08, 0.03), np.float32)


def _seam(face: Face, top: Array, bottom: Array) -> Array:
    """Height of two halves sewn together in the middle, m."""
    height = _bulge(face, 1.10, top, bottom)
    ridge = 0.008 * np.exp(-np.abs(face.x) / 0.22) - 0.0012 * np.exp(-((face.x / 0.015) ** 2))
    return np.asarray(height + ridge + 0.0006 * face.noise(0.15, 0.08), np.float32)


def _ridge(face: Face, top: Array, bottom: Array) -> Array:
    """Height of a folded FFP2 mask: a sharp ridge, flat sides, a wire over the nose; m."""
    t = np.clip((face.y - top) / (bottom - top), 0, 1)
    out = 0.55 + 0.55 * np.sin(np.pi * np.clip(t * 0.85 + 0.12, 0, 1))
    height = face.unit * (0.62 + 0.50 * out * np.clip(1 - np.abs(face.x) / 1.02, 0, 1))
    height -= 0.0012 * np.exp(-(((face.y - top - 0.16) / 0.02) ** 2))
    smooth = cv2.GaussianBlur(height, (0, 0), 0.0018 * face.relief.density)
    return np.asarray(smooth + 0.0004 * face.noise(0.12, 0.12), np.float32)


def _shadow(face: Face, mask: Array) -> None:
    """Shade the skin around the mask, mostly below it."""
    reach = 0.006 * face.relief.density
    spread = cv2.GaussianBlur(mask, (0, 0), max(0.6, reach))
    spread = np.roll(spread, round(reach), axis=0)
    face.relief.shade(1 - 0.45 * spread * (1 - mask) * (face.y > -0.3))


def _loops(face: Face, appearance: Appearance) -> None:
    """Draw the ear loops."""
    r = face.relief
    dark = appearance.kind == "cloth" and sum(appearance.mask) < 300
    color = (40.0, 40.0, 44.0) if dark else WHITE
    shift = 0.30 if appearance.kind == "low" else 0.0
    for side in (-1, 1):
        for start, end in (((0.84, 0.26 + shift), (1.0, -0.22)), ((0.80, 0.80), (1.0, 0.16))):
            line = r.stroke(
                [(side * p[0] * face.unit, p[1] * face.unit) for p in (start, end)], 0.004
            )
            r.paint(line * r.alpha, color, 0.9)
