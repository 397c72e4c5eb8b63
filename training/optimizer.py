"""AdamW with a lower rate for pretrained layers, warm-up, cosine, clipping and weight EMA."""

from __future__ import annotations

from typing import Any

import keras

from vidan.errors import VidanError

PRETRAINED = ("stem_", "block")


class Optimizer(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW whose step for the backbone's variables is multiplied by `backbone_rate`.

    Scaling gradients would do nothing: Adam divides their size out.
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


def make_optimizer(config: Any, steps: int) -> Optimizer:
    """The optimiser of a recipe for a run of `steps` steps."""
    o = config.optimizer
    warmup = max(1, int(steps * o.warmup))
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=max(1, steps - warmup),
        alpha=0.01,
        warmup_target=o.rate,
        warmup_steps=warmup,
    )
    optimizer = Optimizer(
        rate,
        weight_decay=o.weight_decay,
        global_clipnorm=o.clip,
        use_ema=True,
        ema_momentum=o.ema,
        ema_overwrite_frequency=None,
        backbone_rate=o.backbone_rate,
    )
    # Decaying scales and offsets only pulls them away from what the statistics ask for.
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias", "fusion_weights"])
    return optimizer


def swap_average(model: keras.Model) -> None:
    """Exchange the model's weights with their running average; once more puts them back."""
    averages = model.optimizer._model_variables_moving_average  # as keras.callbacks.SwapEMAWeights
    if len(averages) != len(model.trainable_variables):
        raise VidanError("the optimiser keeps no weight average: set optimizer.ema")
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        value = keras.ops.copy(variable.value)
        variable.assign(average.value)
        average.assign(value)
