"""`vidan train`: a detector from pictures with boxes. Reads from top to bottom."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from omegaconf import OmegaConf
from rich.console import Console

from . import recipe
from .anchors import make_anchors
from .checkpoint import load_checkpoint, save_checkpoint
from .data import FloatArray, Image, Sample
from .evaluate import evaluate
from .loader import Batches, chances
from .losses import CIoULoss, FocalLoss, HuberLoss
from .model import detector, efficientdet
from .optimizer import make_optimizer, swap_average
from .predict import predict
from .spec import Spec
from .start import load_start
from .weights import save

console = Console(stderr=True, soft_wrap=True)


def main(argv: list[str]) -> int:
    """Train what the recipe says; `recipe=` and any of its keys as `key=value`."""
    given = recipe.overrides(
        "vidan train", "Train a detector on pictures with boxes.", argv, recipe.about_recipes()
    )
    config = recipe.load_recipe(given)
    keras.utils.set_random_seed(config.seed)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, output / "recipe.yaml")

    labels, training, validation = recipe.read_data(config)
    console.print(f"{len(training)} pictures to train on, {len(validation)} to validate")

    shapes = recipe.shapes(config)
    model = efficientdet(
        config.model, len(labels), shapes, config.frozen_stages, config.frozen_norm_stages
    )
    last = output / "last.npz"
    resumed = config.resume and last.is_file()
    if config.weights and not resumed:
        for line in load_start(model, config, shapes).lines():
            console.print(line)

    anchors = make_anchors(config.crop, config.crop, shapes)
    batches = Batches(
        training,
        anchors,
        config.crop,
        max(config.size),
        config.batch,
        recipe.augmentation(config),
        config.seed,
        chances(training, dict(enumerate(recipe.by_class(labels, config.oversample)))),
        matching=dict(config.matching),
    )
    loss = config.loss
    weights = recipe.by_class(labels, loss.class_weights)
    model.compile(
        make_optimizer(config, config.epochs * len(batches)),
        loss={
            "class": FocalLoss(len(labels), loss.alpha, loss.gamma, weights),
            "box": CIoULoss(anchors) if loss.box == "ciou" else HuberLoss(loss.delta),
        },
        loss_weights={"class": 1.0, "box": loss.box_weight},
        run_eagerly=config.eager,
        # XLA on a CPU compiles for minutes and computes no faster.
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    done, best = load_checkpoint(model, last) if resumed else (0, 0.0)
    batches.epoch = done
    progress = Progress(config, output, labels, validation, best)
    if done < config.epochs:
        model.fit(
            batches, epochs=config.epochs, initial_epoch=done, callbacks=[progress], verbose=0
        )
    console.print(f"best AP50 {progress.best:.3f}: {output / 'best.npz'}")
    return 0


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """After each epoch: a line, a checkpoint, and now and then the figures on validation."""

    def __init__(
        self, config: Any, output: Path, labels: tuple[str, ...], samples: list[Sample], best: float
    ) -> None:
        super().__init__()
        self.config, self.output, self.labels, self.samples = config, output, labels, samples
        self.best = best
        self.started = 0.0

    def set_model(self, model: keras.Model) -> None:
        """Build the detector that shares the model's weights."""
        super().set_model(model)
        self.detector = detector(model, *self.config.size, recipe.shapes(self.config))
        self.detector.compile(run_eagerly=self.config.eager, jit_compile=False)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock."""
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Evaluate with the averaged weights, keep the best, save everything."""
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.started, 1)}
        row |= {name: round(float(value), 4) for name, value in (logs or {}).items()}
        due = (epoch + 1) % self.config.evaluate_every == 0 or epoch + 1 == self.config.epochs
        if due and self.samples:
            figures = self._evaluate()
            row |= {name: round(value, 4) for name, value in figures.items()}
        save_checkpoint(self.model, self.output / "last.npz", epoch + 1, self.best)
        console.print(" ".join(f"{name}={value}" for name, value in row.items()))
        self._log(row)

    def _evaluate(self) -> dict[str, float]:
        swap_average(self.model)
        figures = evaluate(
            self.samples, predict(self._run, self.samples, *self.config.size), self.labels
        )
        if figures["AP50"] >= self.best:
            self.best = figures["AP50"]
            self._keep(figures)
        swap_average(self.model)
        return figures

    def _keep(self, figures: dict[str, float]) -> None:
        """The best weights so far, with what `vidan export` has to know of them."""
        provenance = OmegaConf.to_container(self.config.provenance)
        spec = Spec(
            self.config.model,
            self.labels,
            tuple(self.config.size),
            recipe.shapes(self.config),
            round(figures["threshold"], 3),
            {
                **provenance,
                "seed": self.config.seed,
                "date": f"{datetime.date.today():%Y-%m-%d}",
                "validation": {name: round(value, 4) for name, value in figures.items()},
            },
        )
        save(self.model, self.output / "best.npz", note=json.dumps(spec.metadata()))

    def _run(self, images: Image) -> tuple[FloatArray, FloatArray]:
        outputs = self.detector.predict_on_batch(images)
        return np.asarray(outputs["boxes"]), np.asarray(outputs["scores"])

    def _log(self, row: dict[str, Any]) -> None:
        """Append the row to `log.jsonl`."""
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
