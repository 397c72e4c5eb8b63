"""`vidan train`: train a detector on images with boxes."""

from __future__ import annotations

# ruff: noqa: E402 - the backend must be selected before Keras is imported
from .. import keras_backend

keras_backend.select()

import math
from pathlib import Path
from typing import Any

import keras
from omegaconf import OmegaConf
from rich.console import Console

from vidan.cli.terminal import console, setup_logging

from .. import recipe
from ..arrays import FloatArray
from ..data.batches import Batches, sampling_weights
from ..data.loading import read_recipe_data
from ..data.sample import Sample
from ..data.targets import Matching
from ..model.anchors import AnchorShapes, make_anchors
from ..model.efficientdet import efficientdet
from ..weights.initial import load_initial_weights
from .callbacks import EpochCallback
from .checkpoint import TrainingState, load_checkpoint
from .display import TrainingDisplay
from .losses import CIoULoss, FocalLoss, HuberLoss
from .optimizer import make_optimizer


def main(argv: list[str]) -> int:
    """Run `vidan train`: `recipe=` and keys of the recipe as `key=value`."""
    setup_logging()
    description = "Train a detector on images with boxes."
    given = recipe.overrides("vidan train", description, argv, recipe.recipe_help())
    config = recipe.load_recipe(given)
    keras.utils.set_random_seed(config.seed)
    precision = keras_backend.set_precision(config.precision)
    terminal = console(stderr=True)

    labels, training, validation = read_recipe_data(config)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, output / "recipe.yaml")
    terminal.print(f"{len(training)} images for training, {len(validation)} for validation")
    device = keras_backend.accelerator() or "the CPU"
    terminal.print(f"{keras.backend.backend()} on {device}, {precision}")

    shapes = recipe.anchor_shapes(config)
    last = output / "last.npz"
    resumed = config.resume and last.is_file()
    model = _make_model(config, labels, shapes, None if resumed else terminal)
    anchors = make_anchors(config.crop, config.crop, shapes)
    batches = make_batches(config, training, labels, anchors)
    steps = config.steps or config.epochs * len(batches)
    _compile(model, config, labels, anchors, steps)
    state = load_checkpoint(model, last) if resumed else TrainingState()
    display = TrainingDisplay(terminal)
    callback = EpochCallback(config, output, labels, validation, state, display)
    _fit(model, batches, math.ceil(steps / len(batches)), callback)
    if callback.finished:
        terminal.print(
            f"no improvement in {state.stale} evaluations: stopped after epoch {state.epoch}"
        )
    terminal.print(f"best mAP {state.best:.3f}: {output / 'best.npz'}")
    return 0


def _make_model(
    config: Any, labels: tuple[str, ...], shapes: AnchorShapes, terminal: Console | None
) -> keras.Model:
    """The model of a recipe; loads its initial weights and prints which, if given a terminal."""
    model = efficientdet(
        config.model, len(labels), shapes, config.frozen_stages, config.frozen_norm_stages
    )
    if config.weights and terminal is not None:
        for line in load_initial_weights(model, config, shapes).lines():
            terminal.print(line)
    return model


def _compile(
    model: keras.Model, config: Any, labels: tuple[str, ...], anchors: FloatArray, steps: int
) -> None:
    """Set the optimizer and the losses of a recipe for a run of a number of steps."""
    model.compile(
        make_optimizer(config, steps),
        loss=make_losses(config, labels, anchors),
        loss_weights={"class": 1.0, "box": config.loss.box_weight},
        run_eagerly=config.eager,
        jit_compile=keras_backend.jit(),
    )


def _fit(model: keras.Model, batches: Batches, epochs: int, callback: EpochCallback) -> None:
    """Train for the remaining epochs, unless there are none or the patience is exhausted."""
    batches.epoch = callback.state.epoch
    if batches.epoch >= epochs or callback.finished:
        return
    if not callback.config.eager:
        callback.display.announce_compilation()
    try:
        model.fit(
            batches,
            epochs=epochs,
            initial_epoch=callback.state.epoch,
            callbacks=[callback],
            verbose=0,
        )
    finally:
        callback.display.close()


def make_batches(
    config: Any, training: list[Sample], labels: tuple[str, ...], anchors: FloatArray
) -> Batches:
    """The training batches of a recipe."""
    factors = dict(enumerate(recipe.factors_by_class(labels, config.oversample)))
    return Batches(
        training,
        anchors,
        config.crop,
        tuple(config.size),
        config.batch,
        recipe.augmentation(config),
        config.seed,
        sampling_weights(training, factors),
        matching=Matching(**config.matching),
    )


def make_losses(config: Any, labels: tuple[str, ...], anchors: FloatArray) -> dict[str, Any]:
    """The losses of a recipe, by the name of the model's output."""
    loss = config.loss
    weights = recipe.factors_by_class(labels, loss.class_weights)
    return {
        "class": FocalLoss(len(labels), loss.alpha, loss.gamma, weights),
        "box": CIoULoss(anchors) if loss.box == "ciou" else HuberLoss(loss.delta),
    }
