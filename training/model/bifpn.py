"""BiFPN: the weighted bi-directional feature pyramid of EfficientDet.

Tan, Pang and Le 2020, arXiv 1911.09070, section 3 and figure 2 (d).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from .anchors import LEVELS
from .backbones import BN_EPSILON

# Far below the backbone's 0.99, because a run has only a few thousand steps and these statistics
# start at 0.
BN_MOMENTUM = 0.97
FUSION_EPSILON = 1e-4


@keras.saving.register_keras_serializable("vidan")
class WeightedSum(keras.layers.Layer):
    """Fast normalized fusion: sum of w_i x_i / (sum of w_i + 1e-4), w_i >= 0; section 3.3."""

    def build(self, input_shape: list[Any]) -> None:
        """Create a weight for each input."""
        self.weight = self.add_weight(
            shape=(len(input_shape),), initializer="ones", name="fusion_weights"
        )

    def call(self, inputs: list[Any]) -> Any:
        """Sum several (N,H,W,C) into one."""
        weight = ops.relu(self.weight)
        weight = weight / (ops.sum(weight) + FUSION_EPSILON)
        return sum(x * weight[i] for i, x in enumerate(inputs))


def norm(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Batch norm for layers without pretrained weights."""
    return keras.layers.BatchNormalization(epsilon=BN_EPSILON, momentum=BN_MOMENTUM, name=name)(x)


def project(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """(N,H,W,·) -> (N,H,W,channels), by a 1x1 convolution if the number of channels differs."""
    if x.shape[-1] == channels:
        return x
    return norm(keras.layers.Conv2D(channels, 1, name=f"{name}_conv")(x), f"{name}_bn")


def downsample(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """(N,H,W,C) -> (N,H/2,W/2,C)."""
    return keras.layers.MaxPooling2D(3, 2, padding="same", name=name)(x)


def upsample(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """(N,H,W,C) -> (N,2H,2W,C)."""
    return keras.layers.UpSampling2D(2, interpolation="nearest", name=name)(x)


def pyramid(features: list[keras.KerasTensor], channels: int) -> list[keras.KerasTensor]:
    """P3, P4, P5 of the backbone, and P6 and P7 with `channels` channels, pooled from P5."""
    p6 = downsample(project(features[-1], channels, "p6"), "p6_pool")
    return [*features, p6, downsample(p6, "p7_pool")]


def bifpn(
    features: list[keras.KerasTensor],
    channels: int,
    cells: int,
    activation: str,
    weighted: bool,
) -> list[keras.KerasTensor]:
    """Apply BiFPN cells to P3 to P7.

    Args:
        features: P3, P4, P5 of the backbone.
        channels: number of channels of every output level.
        cells: number of cells.
        activation: `swish` or `relu6`.
        weighted: whether fusion weights are learned; otherwise inputs are added (Lite).

    Returns:
        P3 to P7, each (N,H/2^l,W/2^l,channels).
    """
    levels = pyramid(features, channels)
    for cell in range(cells):
        levels = _cell(levels, channels, activation, weighted, f"fpn{cell}")
    return levels


def _cell(
    levels: list[keras.KerasTensor], channels: int, activation: str, weighted: bool, cell: str
) -> list[keras.KerasTensor]:
    """One top-down and one bottom-up pass; figure 2 (d)."""

    def fuse(inputs: list[keras.KerasTensor], name: str) -> keras.KerasTensor:
        layer = WeightedSum if weighted else keras.layers.Add
        x = layer(name=f"{name}_fuse")(inputs)
        x = keras.layers.Activation(activation, name=f"{name}_activation")(x)
        x = keras.layers.SeparableConv2D(channels, 3, padding="same", name=f"{name}_conv")(x)
        return norm(x, f"{name}_bn")

    last = len(levels) - 1
    names = [f"{cell}_p{level}" for level in LEVELS]
    inputs = [project(x, channels, f"{n}_in") for x, n in zip(levels, names, strict=True)]
    middle = [inputs[last]]
    for i in range(last - 1, -1, -1):  # top-down: P6, P5, P4, P3
        middle.insert(0, fuse([inputs[i], upsample(middle[0], f"{names[i]}_up")], f"{names[i]}_td"))
    outputs = [middle[0]]
    for i in range(1, last + 1):  # bottom-up: P4, P5, P6, P7
        below = downsample(outputs[-1], f"{names[i]}_down")
        # The first cell projects P4 and P5 of the backbone a second time for this pass.
        again = project(levels[i], channels, f"{names[i]}_in2")
        parts = [again, middle[i], below] if i < last else [again, below]
        outputs.append(fuse(parts, f"{names[i]}_out"))
    return outputs
