"""EfficientDet and EfficientDet-Lite: backbone, BiFPN and heads.

Compound scaling: arXiv 1911.09070, table 1; Lite: github.com/google/automl, efficientdet/hparams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from vidan.errors import ConfigError, did_you_mean

from ..arrays import FloatArray
from .anchors import AnchorShapes, make_anchors
from .backbones import SCALINGS, backbone
from .bifpn import bifpn
from .box_coder import decode
from .heads import head, prior_bias

IMAGENET_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
IMAGENET_STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)
LITE_MEAN, LITE_STD = (127.0,) * 3, (128.0,) * 3
TOP_K = 300  # boxes of each image in the output


@dataclass(frozen=True, slots=True)
class Architecture:
    """Dimensions set by compound scaling: backbone, channels, BiFPN cells, head convolutions."""

    backbone: str
    channels: int
    cells: int
    head_repeats: int


ARCHITECTURES = {
    "d0": Architecture("b0", 64, 3, 3),
    "d1": Architecture("b1", 88, 4, 3),
    "d2": Architecture("b2", 112, 5, 3),
    "d3": Architecture("b3", 160, 6, 4),
    "d4": Architecture("b4", 224, 7, 4),
    "lite0": Architecture("lite0", 64, 3, 3),
    "lite1": Architecture("lite1", 88, 4, 3),
    "lite2": Architecture("lite2", 112, 5, 3),
}


def efficientdet(
    name: str,
    classes: int,
    shapes: AnchorShapes,
    frozen_stages: int = 0,
    frozen_norm_stages: int = 0,
) -> keras.Model:
    """Build a trainable detector.

    Args:
        name: a key of `ARCHITECTURES`.
        classes: number of classes, C, without background.
        shapes: the anchors at each location.
        frozen_stages: see `backbones.backbone`.
        frozen_norm_stages: see `backbones.backbone`.

    Returns:
        From `images` (N,H,W,3) uint8 RGB, H and W multiples of 128, to
        `class` (N,A,C) logits and `box` (N,A,4) codes relative to the anchors.

    Raises:
        ConfigError: unknown architecture.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(f"unknown model {name!r}; {did_you_mean(name, ARCHITECTURES)}")
    arch = ARCHITECTURES[name]
    lite = SCALINGS[arch.backbone].lite
    activation = "relu6" if lite else "swish"
    mean, std = (LITE_MEAN, LITE_STD) if lite else (IMAGENET_MEAN, IMAGENET_STD)
    images = keras.Input((None, None, 3), dtype="uint8", name="images")
    # float32 even in mixed precision, because bfloat16 has fewer bits than a pixel.
    x = keras.layers.Rescaling(
        [1 / s for s in std],
        [-m / s for m, s in zip(mean, std, strict=True)],
        name="normalize",
        dtype="float32",
    )(images)
    features = backbone(arch.backbone, x, frozen_stages, frozen_norm_stages)
    levels = bifpn(features, arch.channels, arch.cells, activation, weighted=not lite)
    logits = head(
        levels,
        "class",
        arch.channels,
        arch.head_repeats,
        shapes.per_location,
        classes,
        activation,
        bias=prior_bias(),
    )
    codes = head(
        levels, "box", arch.channels, arch.head_repeats, shapes.per_location, 4, activation
    )
    return keras.Model(images, {"class": logits, "box": codes}, name=f"efficientdet_{name}")


@keras.saving.register_keras_serializable("vidan")
class DecodeTopK(keras.layers.Layer):
    """Decodes logits (N,A,C) and codes (N,A,4) to the K best boxes (N,K,4) and scores (N,K,C)."""

    def __init__(self, anchors: FloatArray, width: int, height: int, top_k: int) -> None:
        super().__init__(name="decode", dtype="float32")
        self.anchors = anchors
        self.limits = [float(width), float(height), float(width), float(height)]
        self.top_k = top_k

    def call(self, logits: Any, codes: Any) -> dict[str, Any]:
        """Boxes are sorted by their largest score, best first."""
        _, best = ops.top_k(ops.max(logits, axis=-1), self.top_k)  # (N,K), best first
        boxes = decode(codes, self.anchors)  # (N,A,4)
        boxes = ops.take_along_axis(boxes, best[..., None], axis=1)  # (N,K,4)
        scores = ops.sigmoid(ops.take_along_axis(logits, best[..., None], axis=1))  # (N,K,C)
        return {"boxes": ops.clip(boxes, 0.0, ops.array(self.limits)), "scores": scores}


def detector(
    model: keras.Model, height: int, width: int, shapes: AnchorShapes, top_k: int = TOP_K
) -> keras.Model:
    """Build the model as it is exported, with shared weights: fixed size, decoded boxes, scores.

    Returns:
        From `images` (N,height,width,3) uint8 RGB to `boxes` (N,K,4) float32 xyxy px of the
        input and `scores` (N,K,C) float32 in [0,1], best first, without NMS.
    """
    anchors = make_anchors(height, width, shapes)
    images = keras.Input((height, width, 3), dtype="uint8", name="images")
    outputs = model(images)
    decoder = DecodeTopK(anchors, width, height, min(top_k, len(anchors)))
    return keras.Model(images, decoder(outputs["class"], outputs["box"]), name="detector")
