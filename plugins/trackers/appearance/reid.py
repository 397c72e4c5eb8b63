"""Appearance embeddings from a re-identification network in an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from vidan.errors import ModelError
from vidan.types import Image

from ...formats.onnx_external_data import check_external_data

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
"""Mean of ImageNet's colors, RGB in [0,1]: ReID networks are trained with this normalization."""
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)
MAX_BATCH_SIZE = 32
"""Largest number of crops in one run of a model with a dynamic batch size."""


class OnnxEmbedder:
    """Runs any ReID network: images (N,3,H,W) float32 to embeddings (N,D).

    The model defines image size and batch size; images are RGB in [0,1], normalized by
    ImageNet's mean and standard deviation. The model is run once on opening.

    Args:
        model: path of an ONNX file.

    Raises:
        ModelError: it cannot be read, or has other inputs or outputs.
    """

    def __init__(self, model: str) -> None:
        self._name = f"embedder_model={str(model)!r}"
        self._session = self._open(model)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        sizes = shape[2:]
        fixed = len(shape) == 4 and all(isinstance(n, int) and n > 0 for n in sizes)
        if not fixed or shape[1] != 3 or inputs[0].type != "tensor(float)":
            got = ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs)
            raise ModelError(
                f"{self._name}: expected one input (N,3,H,W) float32 with fixed H and W, "
                f"got {got}: use a re-identification model"
            )
        self._input, self._output = inputs[0].name, outputs[0].name
        self._height, self._width = sizes
        self._batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        self.embed([np.zeros((self._height, self._width, 3), np.uint8)])

    def embed(self, crops: list[Image]) -> npt.NDArray[np.float32]:
        """See `Embedder`; the model defines D."""
        step = self._batch or MAX_BATCH_SIZE
        parts = [self._run(crops[i : i + step]) for i in range(0, len(crops), step)]
        return np.concatenate(parts)

    def _run(self, crops: list[Image]) -> npt.NDArray[np.float32]:
        count = len(crops)
        images = np.zeros((self._batch or count, self._height, self._width, 3), np.float32)
        for row, crop in enumerate(crops):
            images[row] = cv2.resize(crop, (self._width, self._height))
        images = (images / np.float32(255) - IMAGENET_MEAN) / IMAGENET_STD
        batch = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        try:
            out = np.asarray(self._session.run([self._output], {self._input: batch})[0])
        except Exception as error:
            raise ModelError(f"{self._name}: the model does not run: {_line(error)}") from error
        if out.ndim != 2 or len(out) != len(images) or out.dtype.kind != "f":
            raise ModelError(
                f"{self._name}: expected output (N,D) of floats, got {out.shape} {out.dtype} "
                f"for {len(images)} images: use a re-identification model"
            )
        return out[:count].astype(np.float32)

    def _open(self, model: str) -> Any:
        if not Path(model).is_file():
            raise ModelError(f"{self._name}: there is no such file")
        try:
            check_external_data(Path(model))
        except ModelError as error:
            raise ModelError(f"{self._name}: {error}") from error
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only: they are raised as exceptions anyway
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [p for p in wanted if p in ort.get_available_providers()]
        try:
            return ort.InferenceSession(str(model), options, providers=providers)
        except Exception as error:  # onnxruntime's errors have no common base class
            raise ModelError(f"{self._name}: not an ONNX model: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
