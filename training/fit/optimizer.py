"""Optimizers with a lower rate for pretrained layers; warm-up, schedules, clipping, weight EMA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from vidan.errors import ConfigError, VidanError, did_you_mean

PRETRAINED_PREFIXES = ("stem_", "block")
OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "steps")


class _BackboneFactor(keras.optimizers.Optimizer):
    """Multiplies the step of the backbone's variables by `backbone_factor`.

    Scaling their gradients would have no effect with Adam, which normalizes gradients.
    """

    def __init__(self, *args: Any, backbone_factor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.backbone_factor = backbone_factor

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable; its path begins with the name of its layer."""
        # Some backends pass their own variable, which does not know its path.
        path = self._trainable_variables[self._get_variable_index(variable)].path
        if path.startswith(PRETRAINED_PREFIXES):
            learning_rate = learning_rate * self.backbone_factor
        super().update_step(gradient, variable, learning_rate)


class AdamW(_BackboneFactor, keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101)."""


class MomentumSGD(_BackboneFactor, keras.optimizers.SGD):
    """Gradient descent with momentum, as the Object Detection API trains EfficientDet."""


class StepSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that changes at given steps, after a linear warm-up.

    Args:
        learning_rate: after the warm-up.
        drops: pairs of a step, counted from 0, and the learning rate from there on.
        warmup: steps of the warm-up.
        warmup_learning_rate: at the first step.
    """

    def __init__(
        self,
        learning_rate: float,
        drops: Sequence[Sequence[float]],
        warmup: int,
        warmup_learning_rate: float,
    ) -> None:
        super().__init__()
        self.learning_rate = float(learning_rate)
        self.drops = [(float(step), float(rate)) for step, rate in drops]
        self.warmup, self.warmup_learning_rate = warmup, float(warmup_learning_rate)

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, counted from 0."""
        step = ops.cast(step, "float32")
        rate = ops.convert_to_tensor(self.learning_rate, "float32")
        for first, dropped in sorted(self.drops):
            rate = ops.where(step >= first, dropped, rate)
        start = self.warmup_learning_rate
        fraction = ops.minimum(step / max(1, self.warmup), 1.0)
        return ops.where(step < self.warmup, start + (rate - start) * fraction, rate)


def make_schedule(options: Any, steps: int) -> Any:
    """The learning-rate schedule of a recipe over a run.

    Args:
        options: `optimizer` of the recipe.
        steps: length of the run.

    Raises:
        ConfigError: unknown schedule.
    """
    warmup = max(1, int(steps * options.warmup)) if options.warmup else 0
    if options.schedule == "steps":
        return StepSchedule(
            options.learning_rate, options.drops, warmup, options.warmup_learning_rate
        )
    if options.schedule != "cosine":
        raise ConfigError(
            f"optimizer.schedule={options.schedule!r}: {did_you_mean(options.schedule, SCHEDULES)}"
        )
    warmup = max(1, warmup)
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=options.warmup_learning_rate,
        decay_steps=max(1, steps - warmup),
        alpha=options.final_ratio,
        warmup_target=options.learning_rate,
        warmup_steps=warmup,
    )


def make_optimizer(config: Any, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for a run.

    Args:
        config: the recipe.
        steps: length of the run.

    Raises:
        ConfigError: unknown optimizer or schedule.
    """
    options = config.optimizer
    common = {
        "weight_decay": options.weight_decay or None,
        "global_clipnorm": options.clip_norm,
        "use_ema": True,
        "ema_momentum": options.ema,
        "ema_overwrite_frequency": None,
        "backbone_factor": options.backbone_factor,
    }
    schedule = make_schedule(options, steps)
    if options.name == "sgd":
        optimizer = MomentumSGD(schedule, momentum=options.momentum, **common)
    elif options.name == "adamw":
        common["weight_decay"] = options.weight_decay
        optimizer = AdamW(schedule, **common)
    else:
        raise ConfigError(
            f"optimizer.name={options.name!r}: {did_you_mean(options.name, OPTIMIZERS)}"
        )
    if optimizer.weight_decay:
        # Decay would only pull scales and offsets away from what the statistics require.
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias", "fusion_weights"])
    return optimizer


def swap_average(model: keras.Model) -> None:
    """Exchange the model's weights with their running average; a second call restores them.

    Raises:
        VidanError: the optimizer keeps no averages.
    """
    optimizer = unwrap_loss_scaling(model.optimizer)
    averages = optimizer._model_variables_moving_average  # as Keras's SwapEMAWeights does
    if len(averages) != len(model.trainable_variables):
        raise VidanError("the optimizer keeps no weight average: set optimizer.ema")
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        value = keras.ops.copy(variable.value)
        variable.assign(average.value)
        average.assign(value)


def unwrap_loss_scaling(optimizer: Any) -> Any:
    """The optimizer itself, where mixed precision wraps it to scale the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
