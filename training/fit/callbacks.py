"""The work after each epoch: validation, checkpoints, logging, and early stopping."""

from __future__ import annotations

import datetime
import json
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from omegaconf import OmegaConf

from vidan.support.extras import import_extra
from vidan.support.score_scale import ScoreScale
from vidan.types import Image

from .. import recipe
from ..arrays import FloatArray
from ..data.sample import Sample
from ..evaluation.calibration import fit_score_scale
from ..evaluation.metrics import evaluate
from ..evaluation.predict import predict
from ..evaluation.ranking import rank_detections
from ..model.efficientdet import detector
from ..model.spec import TrainedModelSpec
from ..weights.npz import save
from .checkpoint import TrainingState, save_checkpoint
from .display import TrainingDisplay
from .optimizer import swap_average

DEFAULT_THRESHOLD = 0.5
"""Score threshold of a model that was not validated."""


class EpochCallback(keras.callbacks.Callback):
    """Validates, saves a checkpoint, logs and displays the metrics after each epoch.

    Args:
        config: the recipe.
        output: folder for checkpoints and logs.
        labels: labels of the classes.
        samples: validation samples; without any, the last epoch counts as the best.
        state: progress of the run, updated after each epoch.
        display: shows the metrics.
    """

    def __init__(
        self,
        config: Any,
        output: Path,
        labels: tuple[str, ...],
        samples: list[Sample],
        state: TrainingState,
        display: TrainingDisplay,
    ) -> None:
        super().__init__()
        self.config, self.output, self.labels, self.samples = config, output, labels, samples
        self.state, self.display = state, display
        self.board = TensorBoardWriter(output / "tensorboard") if config.tensorboard else None
        self.started = 0.0

    @property
    def finished(self) -> bool:
        """Whether the recipe's patience is exhausted, so that the run stops early."""
        patience = self.config.patience
        return patience is not None and self.state.stale >= patience

    def set_model(self, model: keras.Model) -> None:
        """Build the detector for validation, which shares the model's weights."""
        super().set_model(model)
        height, width = self.config.size
        self.detector = detector(model, height, width, recipe.anchor_shapes(self.config))
        self.detector.compile(run_eagerly=self.config.eager, jit_compile=False)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Open the display."""
        self.display.open()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the timer and the progress bar."""
        self.started = time.monotonic()
        self.display.begin_epoch(epoch + 1, self.params["epochs"], self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Advance the progress bar."""
        self.display.end_batch(float((logs or {}).get("loss", float("nan"))))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Validate the averaged weights, keep the best, save a checkpoint and log."""
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.started, 1)}
        row |= {name: round(float(value), 4) for name, value in (logs or {}).items()}
        is_last = epoch + 1 == self.params["epochs"]
        best = False
        if (epoch + 1) % self.config.evaluate_every == 0 or is_last:
            metrics, best = self._validate()
            row |= _rounded(metrics)
        self.state.epoch = epoch + 1
        save_checkpoint(self.model, self.output / "last.npz", self.state)
        self.display.end_epoch(row, best)
        self._log(row)
        if self.finished:
            self.model.stop_training = True

    def _validate(self) -> tuple[dict[str, float], bool]:
        """Metrics of the averaged weights, and whether they are the best so far."""
        swap_average(self.model)
        metrics: dict[str, float] = {}
        scale = None
        if self.samples:
            agnostic = self.config.class_agnostic
            height, width = self.config.size
            found = predict(self._run, self.samples, height, width, agnostic)
            metrics = evaluate(self.samples, found, self.labels)
            scale = fit_score_scale(rank_detections(self.samples, found, len(self.labels)))
        value = float(np.nan_to_num(metrics.get("mAP", 0.0)))  # NaN without objects
        best = value >= self.state.best
        # An equal result is kept, but does not count as an improvement.
        self.state.stale = 0 if value > self.state.best else self.state.stale + 1
        if best:
            self.state.best = value
            self._save_best(metrics, scale)
        swap_average(self.model)
        return metrics, best

    def _save_best(self, metrics: dict[str, float], scale: ScoreScale | None) -> None:
        """Save the weights with the metadata that `vidan export` needs."""
        provenance: Any = OmegaConf.to_container(self.config.provenance)
        spec = TrainedModelSpec(
            architecture=self.config.model,
            labels=self.labels,
            input_size=tuple(self.config.size),
            anchors=recipe.anchor_shapes(self.config),
            class_agnostic=self.config.class_agnostic,
            threshold=round(metrics.get("threshold", DEFAULT_THRESHOLD), 3),
            score_scale=scale,
            provenance={
                **provenance,
                "seed": self.config.seed,
                "date": f"{datetime.date.today():%Y-%m-%d}",
                "validation": _rounded(metrics),
            },
        )
        save(self.model, self.output / "best.npz", metadata=json.dumps(spec.to_json()))

    def _run(self, images: Image) -> tuple[FloatArray, FloatArray]:
        outputs = self.detector.predict_on_batch(images)
        return np.asarray(outputs["boxes"]), np.asarray(outputs["scores"])

    def _log(self, row: dict[str, Any]) -> None:
        """Append the row to `log.jsonl`, and to TensorBoard's files if enabled."""
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self.board:
            self.board.write(row)


def _rounded(metrics: dict[str, float]) -> dict[str, float]:
    """The metrics as JSON can store them: without those of labels that have no objects."""
    return {name: round(value, 4) for name, value in metrics.items() if math.isfinite(value)}


class TensorBoardWriter:
    """Writes a scalar for each metric to TensorBoard's event files.

    Raises:
        PluginError: TensorBoard or TensorFlow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        why = "tensorboard=true"
        import_extra("tensorboard", "train", why)  # without it tf.summary fails at the first scalar
        tf = import_extra("tensorflow", "train", why)
        self._summary = tf.summary
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, row: dict[str, Any]) -> None:
        """Write the metrics of an epoch."""
        with self._writer.as_default():
            for name, value in row.items():
                if name != "epoch":
                    self._summary.scalar(name, value, step=row["epoch"])
        self._writer.flush()
