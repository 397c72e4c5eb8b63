"""The trained model as it is served: fixed size, decoded boxes, scores, features of the boxes.

It computes what `model.detector` does, in fewer and cheaper operations: the boxes of the best
places only are decoded, and the pyramid doubles its maps by one operation instead of six.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..arrays import FloatArray
from ..model.anchors import LEVELS, make_anchors
from ..model.box_coder import MAX_LOG_SIZE
from ..model.box_features import pool, take
from ..model.efficientdet import TOP_K
from ..model.spec import Spec

# What enters there first is P3 as the BiFPN takes it: see docs/tracking.md for other maps.
FEATURES_INTO = "fpn0_p3_td_fuse"
STRIDE = 2 ** LEVELS[0]


@keras.saving.register_keras_serializable("vidan")
class Double(keras.layers.Layer):
    """(N,H,W,C) -> (N,2H,2W,C), nearest neighbor: what UpSampling2D does, in one operation."""

    def call(self, x: Any) -> Any:
        """Sizes are those of the graph that is traced."""
        size = (2 * x.shape[1], 2 * x.shape[2]) if x.shape[1] else 2 * tf.shape(x)[1:3]
        return tf.raw_ops.ResizeNearestNeighbor(images=x, size=size)


def servable(model: keras.Model, features: bool) -> keras.Model:
    """The trained model over the same weights, with `Double`; and with `map` for features."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        return Double(name=layer.name) if isinstance(layer, keras.layers.UpSampling2D) else layer

    served = keras.models.clone_model(model, clone_function=clone)
    if not features:
        return served
    # A layer shared with `model` has a node for each; the last is this one's.
    level = served.get_layer(FEATURES_INTO)._inbound_nodes[-1].input_tensors[0]
    return keras.Model(served.input, {**served.output, "map": level})


class Serving(tf.Module):
    """A detector as a TensorFlow function, with the names of vidan's own form.

    Args:
        model: a trained model, see `model.efficientdet`.
        spec: what it was trained as.
        top_k: boxes of each image, K.
        features: whether to give `features`, too.

    Attributes:
        serve: from `images` (N,H,W,3) uint8 RGB to `boxes` (N,K,4) float32 xyxy px of the input
            and `scores` (N,K,C) float32 in [0,1], best first, without NMS; and `features`
            (N,K,D) float32 of length 1.
    """

    def __init__(
        self, model: keras.Model, spec: Spec, top_k: int = TOP_K, features: bool = False
    ) -> None:
        super().__init__()
        self.model = servable(model, features)
        anchors = make_anchors(*spec.size, spec.shapes)
        self._places = centerd(anchors)  # NumPy: a constant of the graph, not an input
        self._limits = np.array([spec.size[1], spec.size[0]] * 2, np.float32)
        self._top_k = min(top_k, len(anchors))
        signature = [tf.TensorSpec([None, *spec.size, 3], tf.uint8, name="images")]
        self.serve = tf.function(self._serve, input_signature=signature)

    def _serve(self, images: Any) -> dict[str, Any]:
        raw = self.model(images, training=False)
        _, best = tf.math.top_k(tf.reduce_max(raw["class"], axis=-1), self._top_k)  # (N,K)
        codes, logits = take(raw["box"], best), take(raw["class"], best)
        boxes = tf.clip_by_value(decode(codes, tf.gather(self._places, best)), 0.0, self._limits)
        outputs = {"boxes": boxes, "scores": tf.sigmoid(logits)}
        if "map" in raw:
            outputs["features"] = pool(raw["map"], boxes, STRIDE)
        return {name: tf.identity(value, name=name) for name, value in outputs.items()}


def centerd(anchors: FloatArray) -> FloatArray:
    """Anchors (A,4) xyxy px as y, x of the center, height, width."""
    low, high = anchors[:, 1::-1], anchors[:, 3:1:-1]
    return np.concatenate([(low + high) / 2, high - low], axis=1).astype(np.float32)


def decode(codes: Any, places: Any) -> Any:
    """`decoding.decode` of codes (N,K,4), each at a place (N,K,4) of its own, see `centerd`."""
    center = codes[..., :2] * places[..., 2:] + places[..., :2]
    half = tf.exp(tf.minimum(codes[..., 2:], MAX_LOG_SIZE)) * (places[..., 2:] / 2)
    return tf.gather(tf.concat([center + half, center - half], -1), [3, 2, 1, 0], axis=-1)
