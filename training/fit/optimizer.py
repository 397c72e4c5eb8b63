"""Optimizers with a lower rate for pretrained layers; warm-up, schedules, clipping, weight EMA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from vidan.errors import ConfigError, VidanError, did_you_mean

PRETRAINED = ("stem_", "block")
NAMES = ("adamw", "sgd")
SCHEDULES = ("cosine", "steps")


class _BackboneRate(keras.optimizers.Optimizer):
    """An optimizer whose step for the backbone's variables is multiplied by `backbone_rate`.

    Scaling gradients would do nothing for Adam: it divides their size out.
    """

    def __init__(self, *args: Any, backbone_rate: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.backbone_rate = backbone_rate

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's step; its path begins with the name of its layer."""
        # Some backends hand over their own variable, which does not know its path.
        path = self._trainable_variables[self._get_variable_index(variable)].path
        if path.startswith(PRETRAINED):
            learning_rate = learning_rate * self.backbone_rate
        super().update_step(gradient, variable, learning_rate)


class Optimizer(_BackboneRate, keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101)."""


class Momentum(_BackboneRate, keras.optimizers.SGD):
    """Gradient descent with momentum, as the Object Detection API trains EfficientDet."""


class Steps(keras.optimizers.schedules.LearningRateSchedule):
    """A linear warm-up, and then a rate that changes at given steps."""

    def __init__(
        self, rate: float, drops: Sequence[Sequence[float]], warmup: int, warmup_rate: float
    ) -> None:
        """Drops: pairs of a step, counted from the start, and the rate from there on."""
        super().__init__()
        self.rate, self.drops = float(rate), [(float(s), float(r)) for s, r in drops]
        self.warmup, self.warmup_rate = warmup, float(warmup_rate)

    def __call__(self, step: Any) -> Any:
        """The rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        rate = ops.convert_to_tensor(self.rate, "float32")
        for first, dropped in sorted(self.drops):
            rate = ops.where(step >= first, dropped, rate)
        share = ops.minimum(step / max(1, self.warmup), 1.0)
        return ops.where(
            step < self.warmup, self.warmup_rate + (rate - self.warmup_rate) * share, rate
        )


def make_schedule(options: Any, steps: int) -> Any:
    """The learning rate of a recipe over a run of `steps` steps."""
    warmup = max(1, int(steps * options.warmup)) if options.warmup else 0
    if options.schedule == "steps":
        return Steps(options.rate, options.drops, warmup, options.warmup_rate)
    if options.schedule != "cosine":
        raise ConfigError(
            f"optimizer.schedule={options.schedule!r}: {did_you_mean(options.schedule, SCHEDULES)}"
        )
    warmup = max(1, warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=options.warmup_rate,
        decay_steps=max(1, steps - warmup),
        alpha=options.final,
        warmup_target=options.rate,
        warmup_steps=warmup,
    )


def make_optimizer(config: Any, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for a run of `steps` steps."""
    o = config.optimizer
    common = {
        "weight_decay": o.weight_decay or None,
        "global_clipnorm": o.clip,
        "use_ema": True,
        "ema_momentum": o.ema,
        "ema_overwrite_frequency": None,
        "backbone_rate": o.backbone_rate,
    }
    rate = make_schedule(o, steps)
    if o.name == "sgd":
        optimizer = Momentum(rate, momentum=o.momentum, **common)
    elif o.name == "adamw":
        common["weight_decay"] = o.weight_decay
        optimizer = Optimizer(rate, **common)
    else:
        raise ConfigError(f"optimizer.name={o.name!r}: {did_you_mean(o.name, NAMES)}")
    if optimizer.weight_decay:
        # Decaying scales and offsets only pulls them away from what the statistics ask for.
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias", "fusion_weights"])
    return optimizer


def swap_average(model: keras.Model) -> None:
    """Exchange the model's weights with their running average; once more puts them back."""
    averages = inner(model.optimizer)._model_variables_moving_average  # as SwapEMAWeights does
    if len(averages) != len(model.trainable_variables):
        raise VidanError("the optimizer keeps no weight average: set optimizer.ema")
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        value = keras.ops.copy(variable.value)
        variable.assign(average.value)
        average.assign(value)


def inner(optimizer: Any) -> Any:
    """The optimizer itself, where mixed precision wraps it to scale the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
