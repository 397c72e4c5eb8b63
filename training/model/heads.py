"""Class and box heads: convolutions shared by all levels, separate batch norm for each level.

Arrangement: EfficientDet (arXiv 1911.09070, figure 3) after RetinaNet (Lin et al. 2017,
arXiv 1708.02002).
"""

from __future__ import annotations

import math

import keras

from .anchors import LEVELS
from .bifpn import norm

PRIOR = 0.01
"""Initial score of every anchor, so that the many easy negatives do not dominate the first steps;
RetinaNet, section 3.3."""


def head(
    levels: list[keras.KerasTensor],
    name: str,
    channels: int,
    repeats: int,
    per_location: int,
    values: int,
    activation: str,
    bias: float = 0.0,
) -> keras.KerasTensor:
    """Build one head over P3 to P7.

    Args:
        levels: P3 to P7, each (N,h,w,channels).
        name: prefix of the layers, `class` or `box`.
        channels: number of channels of the hidden convolutions.
        repeats: number of hidden convolutions.
        per_location: anchors at each location, B.
        values: outputs for each anchor, V.
        activation: `swish` or `relu6`.
        bias: initial bias of the last layer.

    Returns:
        (N,A,V), sorted by level, row, column, and anchor at the location.
    """
    convolutions = [
        keras.layers.SeparableConv2D(channels, 3, padding="same", name=f"{name}_conv{i}")
        for i in range(repeats)
    ]
    predict = keras.layers.SeparableConv2D(
        per_location * values,
        3,
        padding="same",
        pointwise_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(bias),
        name=f"{name}_predict",
    )
    outputs = []
    for level, x in zip(LEVELS, levels, strict=True):
        for i, convolution in enumerate(convolutions):
            x = norm(convolution(x), f"{name}_bn{i}_p{level}")
            x = keras.layers.Activation(activation, name=f"{name}_activation{i}_p{level}")(x)
        x = predict(x)  # (N,h,w,B*V)
        outputs.append(keras.layers.Reshape((-1, values), name=f"{name}_flat_p{level}")(x))
    # float32 even in mixed precision, because losses and scores are sensitive to rounding.
    return keras.layers.Concatenate(axis=1, name=f"{name}_output", dtype="float32")(outputs)


def prior_bias() -> float:
    """The logit of `PRIOR`."""
    return -math.log((1 - PRIOR) / PRIOR)
