"""The trained model for serving: fixed size, decoded boxes, scores, appearance features.

Computes the same as `model.efficientdet.detector` with fewer and cheaper operations: only the
best boxes are decoded, and the pyramid upsamples with one operation instead of six.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..arrays import FloatArray
from ..model.anchors import LEVELS, make_anchors
from ..model.box_coder import MAX_LOG_SIZE
from ..model.box_features import gather_rows, pool_box_features
from ..model.efficientdet import TOP_K
from ..model.spec import TrainedModelSpec

FEATURE_CONSUMER = "fpn0_p3_td_fuse"
"""Layer whose first input is the feature map: P3 as it enters the BiFPN (docs/tracking.md)."""

FEATURE_STRIDE = 2 ** LEVELS[0]


@keras.saving.register_keras_serializable("vidan")
class Upsample2x(keras.layers.Layer):
    """(N,H,W,C) -> (N,2H,2W,C), nearest neighbor: UpSampling2D in a single operation."""

    def call(self, x: Any) -> Any:
        """Use the static size if it is known while tracing, else the dynamic one."""
        size = (2 * x.shape[1], 2 * x.shape[2]) if x.shape[1] else 2 * tf.shape(x)[1:3]
        return tf.raw_ops.ResizeNearestNeighbor(images=x, size=size)


def servable(model: keras.Model, features: bool) -> keras.Model:
    """The model with `Upsample2x` and the same weights; and with the output `map` for features."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        is_upsampling = isinstance(layer, keras.layers.UpSampling2D)
        return Upsample2x(name=layer.name) if is_upsampling else layer

    served = keras.models.clone_model(model, clone_function=clone)
    if not features:
        return served
    # A layer shared with `model` has a node for each of the two; the last is that of `served`.
    level = served.get_layer(FEATURE_CONSUMER)._inbound_nodes[-1].input_tensors[0]
    return keras.Model(served.input, {**served.output, "map": level})


class Serving(tf.Module):
    """A detector as a TensorFlow function, with the names of vidan's native format.

    Args:
        model: a trained model, see `model.efficientdet`.
        spec: description of the model.
        top_k: boxes of each image, K.
        features: whether to output appearance features.

    Attributes:
        serve: maps `images` (N,H,W,3) uint8 RGB to `boxes` (N,K,4) float32 xyxy px of the input
            and `scores` (N,K,C) float32 in [0,1], best first, without non-maximum suppression;
            optionally to `features` (N,K,D) float32 of length 1.
    """

    def __init__(
        self, model: keras.Model, spec: TrainedModelSpec, top_k: int = TOP_K, features: bool = False
    ) -> None:
        super().__init__()
        self.model = servable(model, features)
        anchors = make_anchors(*spec.input_size, spec.anchors)
        self._anchors = to_center_form(anchors)  # NumPy, so that it is a constant of the graph
        self._limits = np.array(spec.input_size[::-1] * 2, np.float32)
        self._top_k = min(top_k, len(anchors))
        signature = [tf.TensorSpec([None, *spec.input_size, 3], tf.uint8, name="images")]
        self.serve = tf.function(self._serve, input_signature=signature)

    def _serve(self, images: Any) -> dict[str, Any]:
        raw = self.model(images, training=False)
        _, best = tf.math.top_k(tf.reduce_max(raw["class"], axis=-1), self._top_k)  # (N,K)
        codes, logits = gather_rows(raw["box"], best), gather_rows(raw["class"], best)
        boxes = decode_selected(codes, tf.gather(self._anchors, best))
        boxes = tf.clip_by_value(boxes, 0.0, self._limits)
        outputs = {"boxes": boxes, "scores": tf.sigmoid(logits)}
        if "map" in raw:
            outputs["features"] = pool_box_features(raw["map"], boxes, FEATURE_STRIDE)
        return {name: tf.identity(value, name=name) for name, value in outputs.items()}


def to_center_form(anchors: FloatArray) -> FloatArray:
    """Convert anchors (A,4) xyxy px to y and x of the center, height and width."""
    low, high = anchors[:, 1::-1], anchors[:, 3:1:-1]
    return np.concatenate([(low + high) / 2, high - low], axis=1).astype(np.float32)


def decode_selected(codes: Any, anchors: Any) -> Any:
    """`box_coder.decode` for codes (N,K,4) with their anchors (N,K,4) as in `to_center_form`."""
    center = codes[..., :2] * anchors[..., 2:] + anchors[..., :2]
    half = tf.exp(tf.minimum(codes[..., 2:], MAX_LOG_SIZE)) * (anchors[..., 2:] / 2)
    return tf.gather(tf.concat([center + half, center - half], -1), [3, 2, 1, 0], axis=-1)
