"""Appearance embeddings from a re-identification network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidan.errors import ModelError
from vidan.types import Image

from .network import Network, one_line, open_network

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
"""Mean of ImageNet's colors, RGB in [0,1]: ReID networks are trained with this normalization."""
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)
MAX_BATCH_SIZE = 32
"""Largest number of crops in one run of a network with a dynamic batch size."""


class ReidEmbedder:
    """Runs any ReID network: images (N,3,H,W) float32 to embeddings (N,D).

    The network defines image size and batch size. Images are RGB in [0,1], normalized by
    ImageNet's mean and standard deviation; or from 0 to 255 and in the order that the graph of an
    OpenVINO IR says, if it normalizes them itself. The network is run once on opening.

    Args:
        model: path of an ONNX file, or of the `.xml` of an OpenVINO IR.

    Raises:
        ModelError: it cannot be read, or has other inputs or outputs.
        PluginError: OpenVINO is needed and not installed.
    """

    def __init__(self, model: str | Path) -> None:
        self._name = f"embedder={str(model)!r}"
        try:
            self._network = open_network(Path(model))
        except ModelError as error:
            raise ModelError(f"{self._name}: {error}") from error
        self._batch, self._height, self._width = self._sizes(self._network)
        self.embed([np.zeros((self._height, self._width, 3), np.uint8)])

    def embed(self, crops: list[Image]) -> npt.NDArray[np.float32]:
        """See `Embedder`; the network defines D."""
        step = self._batch or MAX_BATCH_SIZE
        parts = [self._run(crops[i : i + step]) for i in range(0, len(crops), step)]
        return np.concatenate(parts)

    def _sizes(self, network: Network) -> tuple[int | None, int, int]:
        """Batch size, height and width of the input."""
        shape = network.shape
        if len(shape) == 4 and shape[1] == 3:
            batch, _, height, width = shape
            if height is not None and width is not None:
                return batch, height, width
        raise ModelError(
            f"{self._name}: expected one input (N,3,H,W) float32 with fixed H and W, "
            f"got {network.inputs}: use a re-identification model"
        )

    def _run(self, crops: list[Image]) -> npt.NDArray[np.float32]:
        count = len(crops)
        images = np.zeros((self._batch or count, self._height, self._width, 3), np.float32)
        for row, crop in enumerate(crops):
            images[row] = cv2.resize(crop, (self._width, self._height))
        if not self._network.normalizes:
            images = (images / np.float32(255) - IMAGENET_MEAN) / IMAGENET_STD
        if self._network.bgr:
            images = images[..., ::-1]
        try:
            out = self._network.run(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        except Exception as error:
            raise ModelError(f"{self._name}: the model does not run: {one_line(error)}") from error
        if out.ndim != 2 or len(out) != len(images) or out.dtype.kind != "f":
            raise ModelError(
                f"{self._name}: expected output (N,D) of floats, got {out.shape} {out.dtype} "
                f"for {len(images)} images: use a re-identification model"
            )
        return out[:count].astype(np.float32)
