"""From a model's raw outputs to detections, as the detectors of vidan do it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidan.boxes import nms
from vidan.errors import ModelError
from vidan.types import Image

from ..arrays import FloatArray, IntArray
from ..data.augment import letterbox
from ..data.sample import Sample

# images (N,H,W,3) uint8 -> boxes (N,K,4) px of the input, scores (N,K,C)
Run = Callable[[Image], tuple[FloatArray, FloatArray]]
NMS_IOU = 0.5
LOWEST_SCORE = 0.01  # below this a detection changes no average precision worth the time


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Detections of one image: boxes (N,4) px of it, scores (N,), classes (N,)."""

    boxes: FloatArray
    scores: FloatArray
    classes: IntArray


def select(boxes: FloatArray, scores: FloatArray, scale: float) -> Found:
    """Raw boxes (K,4) and scores (K,C) of a letterboxed image as detections.

    Classes exclude each other: a box has its best class, and suppression is across classes.
    """
    best = scores.max(axis=1)
    keep = best >= LOWEST_SCORE
    boxes, best, classes = boxes[keep], best[keep], scores[keep].argmax(axis=1)
    kept = nms(boxes, best, NMS_IOU)
    return Found(boxes[kept] / scale, best[kept], classes[kept].astype(np.int32))


def predict(
    run: Run, samples: Sequence[Sample], height: int, width: int, batch: int = 8
) -> list[Found]:
    """Detections of every sample, through the letterbox of inference."""
    found = []
    for start in range(0, len(samples), batch):
        boxed = [letterbox(s.image(), height, width) for s in samples[start : start + batch]]
        boxes, scores = run(np.stack([image for image, _ in boxed]))
        found += [
            select(b, s, scale) for b, s, (_, scale) in zip(boxes, scores, boxed, strict=True)
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
