"""Small models and frames with known detections."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vidan.frames import ArrayFrame

LABELS = ("red", "green", "blue")
SIZE = (64, 96)
BOXES = np.array([[0, 0, 32, 32], [48, 16, 80, 48]], np.float32)


def metadata(**changes):
    """Metadata of the toy model, as a JSON object."""
    standard = {
        "format": "efficientdet",
        "version": 1,
        "labels": list(LABELS),
        "input_size": list(SIZE),
        "resize": "letterbox",
        "pad": 0,
        "color": "rgb",
        "exclusive": True,
        "threshold": 0.4,
        "provenance": {"trained_on": "nothing"},
    }
    return standard | changes


def toy_onnx(
    path,
    *,
    boxes=BOXES,
    weights=None,
    batch="N",
    size=SIZE,
    dtype=TensorProto.UINT8,
    image="images",
    names=("boxes", "scores"),
    text=...,
    axes=(1, 2),
):
    """Write an ONNX file that finds the same boxes (K,4) in every image.

    Score c of box k is the mean of the image's channel c, from 0 to 1, times weights[k,c].
    """
    weights = np.ones((len(boxes), 3), np.float32) if weights is None else np.float32(weights)
    nodes = [
        helper.make_node("Cast", [image], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["channels"]),
        helper.make_node("Unsqueeze", ["channels", "one"], ["row"]),
        helper.make_node("Mul", ["row", "weights"], [names[1]]),
        helper.make_node("ReduceMean", ["row", "last"], ["gray"], keepdims=1),
        helper.make_node("Mul", ["gray", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "all_boxes"], [names[0]]),
    ]
    constants = {
        "axes": np.array(axes),
        "one": np.array([1]),
        "last": np.array([2]),
        "zero": np.zeros(1, np.float32),
        "scale": np.float32([1 / 255]),
        "weights": weights[None],
        "all_boxes": np.float32(boxes)[None],
    }
    k, c = weights.shape
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(image, dtype, [batch, *size, 3])],
        [
            helper.make_tensor_value_info(names[0], TensorProto.FLOAT, [batch, k, 4]),
            helper.make_tensor_value_info(names[1], TensorProto.FLOAT, [batch, k, c]),
        ],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    text = json.dumps(metadata()) if text is ... else text
    if text is not None:
        helper.set_model_props(model, {"vidan": text})
    onnx.save(model, str(path))


def plain(color, width=192, height=128, index=0):
    """A frame of one color."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = color
    return ArrayFrame(rgb, index=index, time=index / 30, captured=0.0, stream="toy")


def noise(seed, width=192, height=128):
    """A frame of noise, coarse enough to survive scaling."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    rgb = small.repeat(8, axis=0).repeat(8, axis=1)
    return ArrayFrame(rgb, index=seed, time=0.0, captured=0.0, stream="noise")
