"""EfficientNet and EfficientNet-Lite backbones, by compound scaling.

B0 and its table of stages: Tan and Le 2019, arXiv 1905.11946, table 1. Lite omits
squeeze-and-excitation, uses ReLU6, and does not scale the stem, the first and the last stage
(github.com/tensorflow/tpu, models/official/efficientnet/lite). Layers have the names that
`keras.applications` uses, so that ImageNet weights are found by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras

from vidan.errors import ConfigError, did_you_mean

BN_EPSILON = 1e-3
BN_MOMENTUM = 0.99


@keras.saving.register_keras_serializable("vidan")
class FrozenBatchNorm(keras.layers.BatchNormalization):
    """Batch norm that always uses its stored statistics; scale and offset are trained.

    Calling the plain layer with `training=False` is not enough, because a functional model
    overrides this with its own `training` argument.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG002
        """(N,H,W,C) -> (N,H,W,C)."""
        return super().call(inputs, training=False, mask=mask)


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of table 1: `repeats` mobile inverted bottlenecks, the first with `stride`."""

    kernel: int
    repeats: int
    filters: int
    expand: int
    stride: int


STAGES = (
    Stage(3, 1, 16, 1, 1),
    Stage(3, 2, 24, 6, 2),
    Stage(5, 2, 40, 6, 2),
    Stage(3, 3, 80, 6, 2),
    Stage(5, 3, 112, 6, 1),
    Stage(5, 4, 192, 6, 2),
    Stage(3, 1, 320, 6, 1),
)
FEATURE_STAGES = (3, 5, 7)  # last stages at strides 8, 16 and 32: P3, P4 and P5
STEM_FILTERS = 32
SE_RATIO = 0.25


@dataclass(frozen=True, slots=True)
class CompoundScaling:
    """Width and depth multipliers; `lite` omits operations that are slow on small devices."""

    width: float
    depth: float
    lite: bool = False


SCALINGS = {
    "b0": CompoundScaling(1.0, 1.0),
    "b1": CompoundScaling(1.0, 1.1),
    "b2": CompoundScaling(1.1, 1.2),
    "b3": CompoundScaling(1.2, 1.4),
    "b4": CompoundScaling(1.4, 1.8),
    "lite0": CompoundScaling(1.0, 1.0, lite=True),
    "lite1": CompoundScaling(1.0, 1.1, lite=True),
    "lite2": CompoundScaling(1.1, 1.2, lite=True),
}


def scaled_filters(filters: int, width: float) -> int:
    """Scale a number of channels to the nearest multiple of 8, at most 10 % down."""
    scaled = filters * width
    rounded = max(8, int(scaled + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * scaled else rounded


def scaled_repeats(repeats: int, depth: float) -> int:
    """Scale the number of blocks in a stage, rounded up."""
    return math.ceil(repeats * depth)


def backbone(
    name: str,
    images: keras.KerasTensor,
    frozen_stages: int = 0,
    frozen_norm_stages: int = 0,
) -> list[keras.KerasTensor]:
    """Build a backbone on top of `images`.

    Args:
        name: a key of `SCALINGS`.
        images: (N,H,W,3) float32, normalized as the weights expect.
        frozen_stages: the stem and this many stages are not trained; 0 trains all.
        frozen_norm_stages: the stem and this many stages use their stored batch norm statistics
            in training, too. Advisable for pretrained stages, because small batches have poor
            statistics, and required where batch norm was folded into the biases.

    Raises:
        ConfigError: unknown backbone.

    Returns:
        P3, P4, P5: (N,H/8,W/8,·), (N,H/16,W/16,·), (N,H/32,W/32,·).
    """
    if name not in SCALINGS:
        raise ConfigError(f"unknown backbone {name!r}; {did_you_mean(name, SCALINGS)}")
    scaling = SCALINGS[name]
    stem = STEM_FILTERS if scaling.lite else scaled_filters(STEM_FILTERS, scaling.width)
    build = _LayerBuilder(scaling.lite)
    build.trainable, build.frozen_norm = frozen_stages == 0, frozen_norm_stages > 0
    x = build.conv(images, stem, 3, 2, "stem_conv")
    x = build.activate(build.norm(x, "stem_bn"), "stem_activation")  # (N,H/2,W/2,32)
    features = []
    for number, stage in enumerate(STAGES, start=1):
        build.trainable = number > frozen_stages
        build.frozen_norm = number <= frozen_norm_stages
        filters = scaled_filters(stage.filters, scaling.width)
        scale_depth = not scaling.lite or number not in (1, len(STAGES))
        repeats = scaled_repeats(stage.repeats, scaling.depth) if scale_depth else stage.repeats
        for repeat in range(repeats):
            stride = stage.stride if repeat == 0 else 1
            block = f"block{number}{chr(ord('a') + repeat)}_"
            x = build.bottleneck(x, stage, filters, stride, block)
        if number in FEATURE_STAGES:
            features.append(x)
    return features


class _LayerBuilder:
    """Makes the layers of a backbone, with the freezing that applies at the moment."""

    def __init__(self, lite: bool) -> None:
        self.lite = lite
        self.trainable = True
        self.frozen_norm = False

    def conv(
        self, x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str
    ) -> keras.KerasTensor:
        return keras.layers.Conv2D(
            filters,
            kernel,
            stride,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out"),
            trainable=self.trainable,
            name=name,
        )(x)

    def norm(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        layer = FrozenBatchNorm if self.frozen_norm else keras.layers.BatchNormalization
        return layer(epsilon=BN_EPSILON, momentum=BN_MOMENTUM, trainable=self.trainable, name=name)(
            x
        )

    def activate(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.Activation("relu6" if self.lite else "swish", name=name)(x)

    def bottleneck(
        self, x: keras.KerasTensor, stage: Stage, filters: int, stride: int, block: str
    ) -> keras.KerasTensor:
        """Mobile inverted bottleneck (Sandler et al. 2018, arXiv 1801.04381)."""
        inputs, channels = x, x.shape[-1]
        if stage.expand != 1:
            x = self.conv(x, channels * stage.expand, 1, 1, block + "expand_conv")
            x = self.activate(self.norm(x, block + "expand_bn"), block + "expand_activation")
        x = keras.layers.DepthwiseConv2D(
            stage.kernel,
            stride,
            padding="same",
            use_bias=False,
            depthwise_initializer=keras.initializers.VarianceScaling(2.0, "fan_out"),
            trainable=self.trainable,
            name=block + "dwconv",
        )(x)  # (N,H/stride,W/stride,channels*expand)
        x = self.activate(self.norm(x, block + "bn"), block + "activation")
        if not self.lite:
            x = self.squeeze_excite(x, max(1, int(channels * SE_RATIO)), block)
        x = self.norm(self.conv(x, filters, 1, 1, block + "project_conv"), block + "project_bn")
        if stride == 1 and channels == filters:
            x = keras.layers.Add(name=block + "add")([x, inputs])
        return x

    def squeeze_excite(self, x: keras.KerasTensor, reduced: int, block: str) -> keras.KerasTensor:
        """Channel attention (Hu et al. 2018, arXiv 1709.01507)."""
        options = {"trainable": self.trainable, "padding": "same"}
        se = keras.layers.GlobalAveragePooling2D(keepdims=True, name=block + "se_squeeze")(x)
        se = keras.layers.Conv2D(
            reduced, 1, activation="swish", name=block + "se_reduce", **options
        )(se)
        se = keras.layers.Conv2D(
            x.shape[-1], 1, activation="sigmoid", name=block + "se_expand", **options
        )(se)  # (N,1,1,C)
        return keras.layers.Multiply(name=block + "se_excite")([x, se])
