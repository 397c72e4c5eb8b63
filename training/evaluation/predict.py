"""From a model's raw outputs to detections, as the detectors of vidan do it."""

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

# images (N,H,W,3) uint8 -> boxes (N,K,4) px of the input, scores (N,K,C)
Run = Callable[[Image], tuple[FloatArray, FloatArray]]
LOWEST_SCORE = 0.01  # below this a detection changes no average precision worth the time
SELECTION = Selection(LOWEST_SCORE, class_agnostic=True)


def select(
    boxes: FloatArray, scores: FloatArray, scale: Scale, size: tuple[int, int]
) -> Detections:
    """The detections in an image among the raw boxes (K,4) and scores (K,C) of a model.

    Args:
        boxes: xyxy, px of the letterboxed image.
        scores: in [0,1].
        scale: of the letterboxed image.
        size: width and height of the image, px.
    """
    rows, classes = SELECTION.candidates(scores)
    return SELECTION.select(boxes[rows], scores[rows, classes], classes, scale, size)


def predict(
    run: Run, samples: Sequence[Sample], height: int, width: int, batch: int = 8
) -> list[Detections]:
    """Detections of every sample, through the letterbox of inference."""
    found = []
    for start in range(0, len(samples), batch):
        images = [sample.image() for sample in samples[start : start + batch]]
        boxed = [letterbox(image, height, width) for image in images]
        outputs = run(np.stack([image for image, _ in boxed]))
        found += [
            select(boxes, scores, scale, (image.shape[1], image.shape[0]))
            for boxes, scores, (_, scale), image in zip(*outputs, boxed, images, strict=True)
        ]
    return found


def onnx_run(path: Path) -> Run:
    """An exported ONNX file, run by ONNX Runtime."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise ModelError(f"cannot load {str(path)!r}: {str(error).splitlines()[0]}") from error

    def run(images: Image) -> tuple[FloatArray, FloatArray]:
        boxes, scores = session.run(["boxes", "scores"], {"images": images})
        return boxes, scores

    return run
