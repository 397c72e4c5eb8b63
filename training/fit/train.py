"""`vidan train`: a detector from images with boxes. Reads from top to bottom."""

from __future__ import annotations

# ruff: noqa: E402 - the backend is chosen before Keras is imported
from .. import keras_backend as backend
from ..arrays import FloatArray

backend.choose()

import math
from pathlib import Path
from typing import Any

import keras
from omegaconf import OmegaConf

from vidan.cli.terminal import console, setup_logging

from .. import recipe
from ..data.batches import Batches, sampling_weights
from ..data.loading import read_recipe_data
from ..data.sample import Sample
from ..data.targets import Matching
from ..model.anchors import make_anchors
from ..model.efficientdet import efficientdet
from ..weights.initial import load_start
from .callbacks import Progress
from .checkpoint import State, load_checkpoint
from .display import Display
from .losses import CIoULoss, FocalLoss, HuberLoss
from .optimizer import make_optimizer


def main(argv: list[str]) -> int:
    """Train what the recipe says; `recipe=` and any of its keys as `key=value`."""
    setup_logging()
    given = recipe.overrides(
        "vidan train", "Train a detector on pictures with boxes.", argv, recipe.about_recipes()
    )
    config = recipe.load_recipe(given)
    keras.utils.set_random_seed(config.seed)
    precision = backend.set_precision(config.precision)
    screen = console(stderr=True)

    labels, training, validation = read_recipe_data(config)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, output / "recipe.yaml")
    screen.print(f"{len(training)} pictures to train on, {len(validation)} to validate")
    where = backend.accelerator() or "the CPU"
    screen.print(f"{keras.backend.backend()} on {where}, {precision}")

    shapes = recipe.shapes(config)
    model = efficientdet(
        config.model, len(labels), shapes, config.frozen_stages, config.frozen_norm_stages
    )
    last = output / "last.npz"
    resumed = config.resume and last.is_file()
    if config.weights and not resumed:
        for line in load_start(model, config, shapes).lines():
            screen.print(line)

    anchors = make_anchors(config.crop, config.crop, shapes)
    batches = make_batches(config, training, labels, anchors)
    steps = config.steps or config.epochs * len(batches)
    epochs = math.ceil(steps / len(batches))
    model.compile(
        make_optimizer(config, steps),
        loss=make_losses(config, labels, anchors),
        loss_weights={"class": 1.0, "box": config.loss.box_weight},
        run_eagerly=config.eager,
        jit_compile=backend.jit(),
    )
    state = load_checkpoint(model, last) if resumed else State()
    batches.epoch = state.epoch
    display = Display(screen)
    progress = Progress(config, output, labels, validation, state, display)
    if state.epoch < epochs and not progress.finished:
        try:
            model.fit(
                batches, epochs=epochs, initial_epoch=state.epoch, callbacks=[progress], verbose=0
            )
        finally:
            display.close()
    if progress.finished:
        screen.print(f"no better in {state.stale} evaluations: stopped after epoch {state.epoch}")
    screen.print(f"best mAP {state.best:.3f}: {output / 'best.npz'}")
    return 0


def make_batches(
    config: Any, training: list[Sample], labels: tuple[str, ...], anchors: FloatArray
) -> Batches:
    """The loader of a recipe."""
    factors = dict(enumerate(recipe.by_class(labels, config.oversample)))
    return Batches(
        training,
        anchors,
        config.crop,
        max(config.size),
        config.batch,
        recipe.augmentation(config),
        config.seed,
        sampling_weights(training, factors),
        matching=Matching(**config.matching),
    )


def make_losses(config: Any, labels: tuple[str, ...], anchors: FloatArray) -> dict[str, Any]:
    """The losses of a recipe, by the output of the model."""
    loss = config.loss
    weights = recipe.by_class(labels, loss.class_weights)
    return {
        "class": FocalLoss(len(labels), loss.alpha, loss.gamma, weights),
        "box": CIoULoss(anchors) if loss.box == "ciou" else HuberLoss(loss.delta),
    }
