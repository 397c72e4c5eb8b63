"""The trained model behind the signature of the TensorFlow Object Detection API's exports.

The input is one image of any size, the outputs are its detections after suppression, in fractions
of the image. Names, types and order: object_detection/exporter_lib_v2.py in tensorflow/models.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vidan.modelspec import DEFAULT_IOU_THRESHOLD, PAD_VALUE

from ..evaluation.predict import MIN_SCORE
from .serving import Serving

MAX_DETECTIONS = 100
"""Rows of the outputs, as in the API's EfficientDets; unused rows are 0."""


class TfodServing(tf.Module):
    """Wraps a `Serving` in the signature of the Object Detection API, with the same weights.

    Can be called like the API's exports: `tf.saved_model.load(folder)(images)`.

    Args:
        serving: the model.
        size: height and width of its input, px.

    Attributes:
        serving: the wrapped model.
        __call__: maps `input_tensor` (1,H,W,3) uint8 RGB of any size to `detection_boxes`
            (1,100,4) yxyx in fractions of the image, `detection_scores` (1,100) in [0,1], best
            first, `detection_classes` (1,100), ids from 1, and `num_detections` (1,), the number
            of used rows; all float32.
    """

    def __init__(self, serving: Serving, size: tuple[int, int]) -> None:
        super().__init__()
        self.serving = serving
        self._size = size

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")])
    def __call__(self, input_tensor: Any) -> dict[str, Any]:
        """Letterbox, detect, and suppress across classes, because an object has one label."""
        letterboxed, size = letterbox(input_tensor, self._size)
        outputs = self.serving.serve(letterboxed)
        boxes, scores = outputs["boxes"][0], outputs["scores"][0]  # (K,4), (K,C)
        best = tf.reduce_max(scores, axis=1)
        kept = tf.image.non_max_suppression(
            boxes, best, MAX_DETECTIONS, DEFAULT_IOU_THRESHOLD, MIN_SCORE
        )
        fractions = tf.clip_by_value(tf.gather(boxes, kept) / size, 0.0, 1.0)
        ids = tf.cast(tf.argmax(tf.gather(scores, kept), axis=1) + 1, tf.float32)
        return {
            "detection_boxes": _padded(tf.gather(fractions, [1, 0, 3, 2], axis=1)),
            "detection_scores": _padded(tf.gather(best, kept)),
            "detection_classes": _padded(ids),
            "num_detections": tf.cast(tf.shape(kept), tf.float32),
        }


def letterbox(image: Any, size: tuple[int, int]) -> tuple[Any, Any]:
    """Letterbox an image as the detectors do: areas are averaged when it shrinks.

    Args:
        image: (1,H,W,3) uint8.
        size: height and width of the result, px.

    Returns:
        (1,*size,3) uint8 with the image at the top left; and the scaled image's width, height,
        width, height, (4,) float32 px.
    """
    given = tf.cast(tf.shape(image)[1:3], tf.float64)
    scale = tf.reduce_min(tf.constant(size, tf.float64) / given)
    scaled = tf.maximum(tf.cast(tf.round(given * scale), tf.int32), 1)
    smaller = tf.image.resize(image, tf.minimum(scaled, tf.shape(image)[1:3]), "area")
    pixels = tf.round(tf.image.resize(smaller, scaled, "bilinear"))
    padding = tf.constant(size) - scaled
    paddings = [[0, 0], [0, padding[0]], [0, padding[1]], [0, 0]]
    padded = tf.pad(pixels, paddings, constant_values=PAD_VALUE)
    whole = tf.ensure_shape(tf.cast(padded, tf.uint8), [1, *size, 3])
    return whole, tf.cast(tf.tile(scaled[::-1], [2]), tf.float32)


def _padded(rows: Any) -> Any:
    """Pad rows (M,...) with zeros to `MAX_DETECTIONS`, as a batch of one: (1,100,...)."""
    shape = [MAX_DETECTIONS, *rows.shape[1:]]
    space = [[0, MAX_DETECTIONS - tf.shape(rows)[0]], *[[0, 0]] * (len(rows.shape) - 1)]
    return tf.ensure_shape(tf.pad(rows, space), shape)[None]
