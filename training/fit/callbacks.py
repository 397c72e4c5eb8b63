"""What happens after each epoch: figures on validation, checkpoints, log, and when to stop."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from omegaconf import OmegaConf

from vidan.errors import PluginError
from vidan.types import Image

from .. import recipe
from ..arrays import FloatArray
from ..data.sample import Sample
from ..evaluation.figures import evaluate
from ..evaluation.predict import predict
from ..model.efficientdet import detector
from ..model.spec import Spec
from ..weights.npz import save
from .checkpoint import State, save_checkpoint
from .display import Display
from .optimizer import swap_average

THRESHOLD = 0.5  # of a model that nobody could validate


class Progress(keras.callbacks.Callback):
    """After each epoch: a row, a checkpoint, and now and then the figures on validation.

    Attributes:
        state: epochs done, best mAP and how many evaluations ago that was.
    """

    def __init__(
        self,
        config: Any,
        output: Path,
        labels: tuple[str, ...],
        samples: list[Sample],
        state: State,
        display: Display,
    ) -> None:
        """Samples: of the validation; without any the last epoch counts as the best."""
        super().__init__()
        self.config, self.output, self.labels, self.samples = config, output, labels, samples
        self.state, self.display = state, display
        self.board = Board(output / "tensorboard") if config.tensorboard else None
        self.started = 0.0

    @property
    def finished(self) -> bool:
        """Whether so many evaluations were no better that the run stops early."""
        patience = self.config.patience
        return patience is not None and self.state.stale >= patience

    def set_model(self, model: keras.Model) -> None:
        """Build the detector that shares the model's weights."""
        super().set_model(model)
        height, width = self.config.size
        self.detector = detector(model, height, width, recipe.shapes(self.config))
        self.detector.compile(run_eagerly=self.config.eager, jit_compile=False)

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Show the table."""
        self.display.open()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the clock."""
        self.started = time.monotonic()
        self.display.begin(epoch + 1, self.params["epochs"], self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Move the bar."""
        self.display.batch(float((logs or {}).get("loss", float("nan"))))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Evaluate with the averaged weights, keep the best, save everything."""
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.started, 1)}
        row |= {name: round(float(value), 4) for name, value in (logs or {}).items()}
        last = epoch + 1 == self.params["epochs"]
        due = (epoch + 1) % self.config.evaluate_every == 0 or last
        best = False
        if due:
            figures, best = self._evaluate()
            row |= {name: round(value, 4) for name, value in figures.items()}
        self.state.epoch = epoch + 1
        save_checkpoint(self.model, self.output / "last.npz", self.state)
        self.display.row(row, best)
        self._log(row)
        if self.finished:
            self.model.stop_training = True

    def _evaluate(self) -> tuple[dict[str, float], bool]:
        """Figures of the averaged weights, and whether they are the best so far."""
        swap_average(self.model)
        figures: dict[str, float] = {}
        if self.samples:
            found = predict(self._run, self.samples, *self.config.size)
            figures = evaluate(self.samples, found, self.labels)
        value = float(np.nan_to_num(figures.get("mAP", 0.0)))  # no boxes to find: no figure
        best = value >= self.state.best
        # Going on as well as before is worth keeping, but is not getting better.
        self.state.stale = 0 if value > self.state.best else self.state.stale + 1
        if best:
            self.state.best = value
            self._keep(figures)
        swap_average(self.model)
        return figures, best

    def _keep(self, figures: dict[str, float]) -> None:
        """The best weights so far, with what `vidan export` has to know of them."""
        provenance: Any = OmegaConf.to_container(self.config.provenance)
        spec = Spec(
            self.config.model,
            self.labels,
            tuple(self.config.size),
            recipe.shapes(self.config),
            round(figures.get("threshold", THRESHOLD), 3),
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
        """Append the row to `log.jsonl`, and to TensorBoard's files if wanted."""
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        if self.board:
            self.board.write(row)


class Board:
    """Event files for TensorBoard, a scalar for each figure."""

    def __init__(self, folder: Path) -> None:
        try:
            import tensorboard  # noqa: F401 - without it tf.summary fails at the first figure
            import tensorflow as tf
        except ImportError as error:
            raise PluginError(
                f"tensorboard=true needs {error.name}: pip install vidan[train]"
            ) from error
        self._summary = tf.summary
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, row: dict[str, Any]) -> None:
        """The figures of an epoch."""
        with self._writer.as_default():
            for name, value in row.items():
                if name != "epoch":
                    self._summary.scalar(name, value, step=row["epoch"])
        self._writer.flush()
