"""The trained model as the TensorFlow Object Detection API exports its own.

One image of any size in, its detections out, suppressed, as parts of the image. Names, types
and order: object_detection/exporter_lib_v2.py in tensorflow/models.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from vidan.modelspec import DEFAULT_IOU_THRESHOLD, PAD_VALUE

from ..evaluation.predict import LOWEST_SCORE
from .serving import Serving

MAX_DETECTIONS = 100
"""Rows of the outputs, as in the API's EfficientDets; what is not filled in is 0."""


class TfodServing(tf.Module):
    """A `Serving` behind the Object Detection API's signature; the weights are its own.

    It can be called as the API's exports can: `tf.saved_model.load(folder)(images)`.

    Args:
        serving: the model.
        size: height and width of its input, px.

    Attributes:
        serving: as given.
        __call__: from `input_tensor` (1,H,W,3) uint8 RGB of any size to `detection_boxes`
            (1,100,4) float32 yxyx in parts of the image, `detection_scores` (1,100) in [0,1],
            best first, `detection_classes` (1,100), ids from 1, and `num_detections` (1,): how
            many rows are filled in, all float32.
    """

    def __init__(self, serving: Serving, size: tuple[int, int]) -> None:
        super().__init__()
        self.serving = serving
        self._size = size

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 3], tf.uint8, name="input_tensor")])
    def __call__(self, input_tensor: Any) -> dict[str, Any]:
        """Letterbox, detect, suppress across classes: an object has one label."""
        picture, shown = letterbox(input_tensor, self._size)
        outputs = self.serving.serve(picture)
        boxes, every = outputs["boxes"][0], outputs["scores"][0]  # (K,4), (K,C)
        best = tf.reduce_max(every, axis=1)
        kept = tf.image.non_max_suppression(
            boxes, best, MAX_DETECTIONS, DEFAULT_IOU_THRESHOLD, LOWEST_SCORE
        )
        parts = tf.clip_by_value(tf.gather(boxes, kept) / shown, 0.0, 1.0)
        ids = tf.cast(tf.argmax(tf.gather(every, kept), axis=1) + 1, tf.float32)
        return {
            "detection_boxes": _filled(tf.gather(parts, [1, 0, 3, 2], axis=1)),
            "detection_scores": _filled(tf.gather(best, kept)),
            "detection_classes": _filled(ids),
            "num_detections": tf.cast(tf.shape(kept), tf.float32),
        }


def letterbox(picture: Any, size: tuple[int, int]) -> tuple[Any, Any]:
    """Scale an image to fit as the detectors do: areas averaged where it shrinks.

    Args:
        picture: (1,H,W,3) uint8.
        size: height and width of the result, px.

    Returns:
        (1,*size,3) uint8 with the image at the top left; and width, height, width, height of
        it there, (4,) float32 px.
    """
    given = tf.cast(tf.shape(picture)[1:3], tf.float64)
    scale = tf.reduce_min(tf.constant(size, tf.float64) / given)
    scaled = tf.maximum(tf.cast(tf.round(given * scale), tf.int32), 1)
    smaller = tf.image.resize(picture, tf.minimum(scaled, tf.shape(picture)[1:3]), "area")
    pixels = tf.round(tf.image.resize(smaller, scaled, "bilinear"))
    left = tf.constant(size) - scaled
    padded = tf.pad(pixels, [[0, 0], [0, left[0]], [0, left[1]], [0, 0]], constant_values=PAD_VALUE)
    whole = tf.ensure_shape(tf.cast(padded, tf.uint8), [1, *size, 3])
    return whole, tf.cast(tf.tile(scaled[::-1], [2]), tf.float32)


def _filled(rows: Any) -> Any:
    """Rows (M,...) with zeros up to `MAX_DETECTIONS`, of a batch of one: (1,100,...)."""
    shape = [MAX_DETECTIONS, *rows.shape[1:]]
    space = [[0, MAX_DETECTIONS - tf.shape(rows)[0]], *[[0, 0]] * (len(rows.shape) - 1)]
    return tf.ensure_shape(tf.pad(rows, space), shape)[None]
