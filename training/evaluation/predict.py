"""Detections of a model on samples, selected as the detectors of vidan do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vidan.errors import ModelError
from vidan.modelspec import Scale, Selection
from vidan.types import Detections, Image

from ..arrays import FloatArray
from ..data.augment import letterbox
from ..data.sample import Sample

ModelFunction = Callable[[Image], tuple[FloatArray, FloatArray]]
"""Maps images (N,H,W,3) uint8 to boxes (N,K,4), px of the input, and scores (N,K,C)."""

MIN_SCORE = 0.01
"""Detections below this score have a negligible effect on average precision."""


def select(
    boxes: FloatArray,
    scores: FloatArray,
    scale: Scale,
    size: tuple[int, int],
    class_agnostic: bool = True,
) -> Detections:
    """Select the detections of an image from a model's raw outputs.

    Args:
        boxes: (K,4) xyxy, px of the letterboxed image.
        scores: (K,C) in [0,1].
        scale: scale of the letterboxed image.
        size: width and height of the image, px.
        class_agnostic: whether boxes of different classes suppress each other.
    """
    selection = Selection(MIN_SCORE, class_agnostic=class_agnostic)
    rows, classes = selection.candidates(scores)
    return selection.select(boxes[rows], scores[rows, classes], classes, scale, size)


def predict(
    model: ModelFunction,
    samples: Sequence[Sample],
    height: int,
    width: int,
    class_agnostic: bool = True,
    batch_size: int = 8,
) -> list[Detections]:
    """Run a model on every sample, letterboxed to height x width px; see `select`."""
    detections = []
    for start in range(0, len(samples), batch_size):
        images = [sample.image() for sample in samples[start : start + batch_size]]
        boxed = [letterbox(image, height, width) for image in images]
        outputs = model(np.stack([image for image, _ in boxed]))
        detections += [
            select(boxes, scores, scale, (image.shape[1], image.shape[0]), class_agnostic)
            for boxes, scores, (_, scale), image in zip(*outputs, boxed, images, strict=True)
        ]
    return detections


def load_onnx(path: Path) -> ModelFunction:
    """Load an exported ONNX file, to be run by ONNX Runtime.

    Raises:
        ModelError: the file cannot be loaded.
    """
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no other common base class
        raise ModelError(f"cannot load {str(path)!r}: {str(error).splitlines()[0]}") from error

    def run(images: Image) -> tuple[FloatArray, FloatArray]:
        boxes, scores = session.run(["boxes", "scores"], {"images": images})
        return boxes, scores

    return run
