"""Appearance embeddings of boxes: vectors that are compared by their cosine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.types import Detections, Frame, Image

from ...models.catalog import catalog
from ...models.fetch import find

Features = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

HISTOGRAM, NONE = "histogram", "none"
"""Names of embedders that are no models."""


class Embedder(Protocol):
    """Computes embeddings of crops."""

    def embed(self, crops: list[Image]) -> Features:
        """Embeddings (N,D) float32 of crops, each (H,W,3) uint8 RGB of any size; N at least 1."""
        ...


class HistogramEmbedder:
    """Color histograms with coarse positions: needs no model, takes about 0.3 ms per crop.

    A crop is divided into eight horizontal stripes, since people wear different colors at
    different heights. Each stripe has a histogram over hue, saturation and value. Pixels near the
    middle column, away from the background, have more weight, and each pixel is shared between
    neighboring bins. The cosine of the square roots is the Bhattacharyya coefficient of the
    histograms.

    On ground-truth crops of MOT16-09, at least half visible, the nearest image at least 40
    frames away shows the same person in 90 % of the cases (OSNet x0.25: 99 %). Two images of
    one person up to 30 frames apart typically have a distance of 0.09.
    """

    _SIZE_PX = (16, 32)  # width and height that crops are scaled to
    _STRIPES = 8
    _BINS = (8, 3, 4)  # hue, saturation, value

    def __init__(self) -> None:
        width, _ = self._SIZE_PX
        column = (np.arange(width) + 0.5) / width - 0.5
        self._weights = np.exp(-0.5 * np.square(column / 0.25)).astype(np.float32)

    def embed(self, crops: list[Image]) -> Features:
        """See `Embedder`; D is 768."""
        width, height = self._SIZE_PX
        small = [cv2.resize(crop, self._SIZE_PX, interpolation=cv2.INTER_AREA) for crop in crops]
        hsv = cv2.cvtColor(np.concatenate(small), cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv = hsv.reshape(len(crops), self._STRIPES, height // self._STRIPES * width, 3)
        hue, saturation, value = (
            _soft_bins(hsv[..., i] * (bins / span), bins, circular=i == 0)
            for i, (bins, span) in enumerate(zip(self._BINS, (180, 256, 256), strict=True))
        )
        hue *= np.tile(self._weights, height // self._STRIPES)[:, None]
        rest = (saturation[..., :, None] * value[..., None, :]).reshape(*hsv.shape[:3], -1)
        histograms = hue.swapaxes(2, 3) @ rest
        return np.asarray(np.sqrt(histograms).reshape(len(crops), -1))


def _soft_bins(values: Features, bins: int, *, circular: bool) -> Features:
    """Weight of each value in each bin: (...,bins), from values (...) in units of bins.

    A value is shared by the two bins whose centers enclose it, in proportion to closeness.
    """
    centered = values - 0.5
    if not circular:
        centered = np.clip(centered, 0, bins - 1)
    distance = np.abs(centered[..., None] - np.arange(bins, dtype=np.float32))
    if circular:
        distance = np.minimum(distance, bins - distance)
    return np.asarray(np.maximum(1 - distance, 0))


def make_embedder(name: str, *, offline: bool = False) -> Embedder | None:
    """The embedder with a name.

    Args:
        name: `histogram`; `none` for None; the path of a ReID network; or the name of one in
            `vidan models list`, which is downloaded if it is not there yet.
        offline: whether downloads are forbidden.

    Raises:
        ConfigError: there is no such embedder.
        ModelError: the model cannot be used or downloaded.
    """
    if name in (HISTOGRAM, NONE):
        return HistogramEmbedder() if name == HISTOGRAM else None
    from .reid import ReidEmbedder

    return ReidEmbedder(_model_file(name, offline=offline))


def _model_file(name: str, *, offline: bool) -> Path:
    """The file of a ReID network: the name is a path, or one of the catalog."""
    path = options.path("embedder", name)
    if path.exists() or path.suffix or path.name != name:
        return path
    found = find(name, "appearance", offline=offline)
    if found is not None:
        return found[1]
    models = [entry.name for entry in catalog().values() if entry.task == "appearance"]
    known = did_you_mean(name, [HISTOGRAM, NONE, *models])
    raise ConfigError(f"embedder={name!r}: there is no such file or model: {known}")


def crop(image: Image, boxes: npt.NDArray[Any]) -> list[Image]:
    """Crops of boxes (N,4) xyxy px: views of the image, of at least one pixel each.

    A box outside the image yields the nearest pixels at the border.
    """
    height, width = image.shape[:2]
    limits = np.array([width, height])
    low = np.clip(np.rint(boxes[:, :2]), 0, limits - 1).astype(np.intp)
    high = np.clip(np.rint(boxes[:, 2:]), low + 1, limits).astype(np.intp)
    corners = np.concatenate([low, high], axis=1).tolist()
    return [image[y1:y2, x1:x2] for x1, y1, x2, y2 in corners]


def unit_vectors(features: Features) -> Features:
    """Vectors (N,D) scaled to length 1; all zeros for those that are zero or not finite."""
    features = np.where(np.isfinite(features).all(axis=1, keepdims=True), features, 0)
    length = np.linalg.norm(features, axis=1, keepdims=True)
    out = np.zeros_like(features)
    return np.asarray(np.divide(features, length, out=out, where=length > 0))


class Appearance:
    """Provides the embeddings of the detections of each frame.

    Features that come with the detections are used as they are; otherwise an embedder
    computes them, and only then is the frame's image requested.
    """

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._size: int | None = None

    def needs_image(self, detections: Detections) -> bool:
        """Whether embeddings of these detections have to be computed from the image."""
        return self._embedder is not None and detections.features is None

    def features(self, frame: Frame, detections: Detections, rows: Rows) -> Features | None:
        """Embeddings of the detections in `rows` (K,); None if there is no way to get them.

        Returns:
            (N,D) float32, a vector of length 1 for each of the detections; 0 for those that
            are not in `rows` or have none.

        Raises:
            ModelError: the vectors differ in length from those of earlier frames.
        """
        if len(rows) == 0:
            return None
        features = detections.features
        if features is None:
            if self._embedder is None:
                return None
            embedded = self._embedder.embed(crop(frame.rgb(), detections.boxes[rows]))
            features = np.zeros((len(detections), embedded.shape[1]), np.float32)
            features[rows] = embedded
        if self._size not in (None, features.shape[1]):
            raise ModelError(
                f"deepsort: frame {frame.index}: features have {features.shape[1]} numbers, "
                f"earlier ones {self._size}: they must come from one model throughout"
            )
        self._size = features.shape[1]
        return unit_vectors(features)
