"""Anchors, and the encoding of boxes relative to them (`box_coder` has the inverse).

Anchor shapes: EfficientDet's (github.com/google/automl, efficientdet/anchors.py): at level l the
stride is 2^l px, centers start at stride / 2, sides are `scale * stride * 2^(octave / octaves)`
times the square root of the aspect ratio. Coding: Faster R-CNN (arXiv 1506.01497, equation 2),
with y before x, so that the heads of other EfficientDets can be imported; boxes are xyxy. This
module does not need Keras.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vidan.errors import ModelError

from ..arrays import FloatArray

LEVELS = (3, 4, 5, 6, 7)  # pyramid levels P3 to P7, strides 8 to 128
MIN_SIDE = 1e-3  # px; keeps the logarithm of empty boxes finite


@dataclass(frozen=True, slots=True)
class AnchorShapes:
    """The anchors at one location: every octave combined with every ratio.

    Attributes:
        scale: side of the smallest square anchor, in strides.
        octaves: sizes per pyramid level.
        ratios: aspect ratios, width divided by height.
    """

    scale: float = 4.0
    octaves: int = 3
    ratios: tuple[float, ...] = (1.0, 2.0, 0.5)

    @property
    def per_location(self) -> int:
        """Number of anchors at one location."""
        return self.octaves * len(self.ratios)


def make_anchors(height: int, width: int, shapes: AnchorShapes) -> FloatArray:
    """All anchors of an input of height x width px: (A,4) float32 xyxy px.

    Sorted by level, row, column, octave and ratio, like the outputs of the heads.

    Raises:
        ModelError: a side is not a multiple of the largest stride.
    """
    largest = 2 ** LEVELS[-1]
    if height % largest or width % largest:
        raise ModelError(
            f"input size {(height, width)!r}: both sides must be multiples of {largest}"
        )
    levels = []
    for level in LEVELS:
        stride = 2**level
        sizes = [
            (side * ratio**0.5, side / ratio**0.5)
            for octave in range(shapes.octaves)
            for side in [shapes.scale * stride * 2 ** (octave / shapes.octaves)]
            for ratio in shapes.ratios
        ]
        half = np.array(sizes) / 2  # (B,2)
        x, y = np.meshgrid(
            np.arange(stride / 2, width, stride), np.arange(stride / 2, height, stride)
        )
        center = np.stack([x, y], -1).reshape(-1, 1, 2)  # (h*w,1,2)
        levels.append(np.concatenate([center - half, center + half], -1).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)


def encode(boxes: FloatArray, anchors: FloatArray) -> FloatArray:
    """Encode boxes (M,4) xyxy px relative to anchors (M,4): (M,4) as dy, dx, log h, log w."""
    size, anchor_size = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    offset = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2 / anchor_size
    log_size = np.log(np.maximum(size, MIN_SIDE) / anchor_size)
    return np.concatenate([offset[:, ::-1], log_size[:, ::-1]], axis=1).astype(np.float32)
