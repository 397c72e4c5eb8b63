"""Appearance vectors from a re-identification network in an ONNX file."""

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

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
"""Of ImageNet's colors, RGB in [0,1]: what such networks are trained with."""
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
MOST = 32
"""Crops in one run of a model that takes any number of them."""


class OnnxEmbedder:
    """Runs any ReID network: images (N,3,H,W) float32 in, vectors (N,D) out.

    Size and number of the images are the model's; they are RGB in [0,1], normalized by
    ImageNet's mean and standard deviation. It is tried once when opened.

    Args:
        model: an ONNX file.

    Raises:
        ModelError: it cannot be read, or has other inputs or outputs.
    """

    def __init__(self, model: str) -> None:
        self._name = f"tracker.embedder_model={str(model)!r}"
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
        """See `Embedder`; D is the model's."""
        step = self._batch or MOST
        parts = [self._run(crops[i : i + step]) for i in range(0, len(crops), step)]
        return np.concatenate(parts)

    def _run(self, crops: list[Image]) -> npt.NDArray[np.float32]:
        count = len(crops)
        pictures = np.zeros((self._batch or count, self._height, self._width, 3), np.float32)
        for row, crop in enumerate(crops):
            pictures[row] = cv2.resize(crop, (self._width, self._height))
        pictures = (pictures / np.float32(255) - MEAN) / DEVIATION
        ready = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
        try:
            out = np.asarray(self._session.run([self._output], {self._input: ready})[0])
        except Exception as error:
            raise ModelError(f"{self._name}: it does not run: {_line(error)}") from error
        if out.ndim != 2 or len(out) != len(pictures) or out.dtype.kind != "f":
            raise ModelError(
                f"{self._name}: expected output (N,D) of floats, got {out.shape} {out.dtype} "
                f"for {len(pictures)} pictures: use a re-identification model"
            )
        return out[:count].astype(np.float32)

    def _open(self, model: str) -> Any:
        if not Path(model).is_file():
            raise ModelError(f"{self._name}: there is no such file")
        check_external_data(Path(model), self._name)
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors only: they come as exceptions anyway
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [p for p in wanted if p in ort.get_available_providers()]
        try:
            return ort.InferenceSession(str(model), options, providers=providers)
        except Exception as error:  # onnxruntime's errors share no base of their own
            raise ModelError(f"{self._name}: not an ONNX model: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
