"""Graphs with the inputs and outputs of exports, built from the formats' documentation.

They are not real exports: each has constant outputs, whatever is in the image.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, HALF, BYTE = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
NCHW, NHWC = (1, 3, 64, 96), (1, 64, 96, 3)


def graph(
    path, outputs, image="images", shape=NCHW, dtype=FLOAT, properties=None, others=(), loose=()
):
    """Write an ONNX file that always returns `outputs` (arrays by name).

    Each output is a constant, to which the mean of the image is added zero times, so that the
    image is needed. `others` are more inputs (name, type, shape). The outputs in `loose` have
    no shape in the file.
    """
    nodes, values, constants = [], [], []
    nodes.append(helper.make_node("Cast", [image], ["pixels"], to=FLOAT))
    nodes.append(helper.make_node("ReduceMean", ["pixels"], ["mean"], keepdims=0))
    constants.append(numpy_helper.from_array(np.zeros((), np.float32), "zero"))
    nodes.append(helper.make_node("Mul", ["mean", "zero"], ["nothing"]))
    for name, array in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        constants.append(numpy_helper.from_array(np.asarray(array), f"{name}/all"))
        nodes.append(helper.make_node("Cast", ["nothing"], [f"{name}/0"], to=kind))
        nodes.append(helper.make_node("Add", [f"{name}/all", f"{name}/0"], [name]))
        sizes = [None] * array.ndim if name in loose else array.shape
        values.append(helper.make_tensor_value_info(name, kind, sizes))
    inputs = [helper.make_tensor_value_info(image, dtype, shape)]
    inputs += [helper.make_tensor_value_info(*other) for other in others]
    made = helper.make_graph(nodes, "documented", inputs, values, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, properties or {})
    onnx.save(model, str(path))
    return str(path)


def batched(path, output, brightness, properties, *, reshaped=None):
    """Write an ONNX file with a dynamic batch size.

    Args:
        path: of the file.
        output: [1,F,N], the same for each image.
        brightness: [1,F,N], is multiplied with the mean of the image and added.
        properties: metadata of the model.
        reshaped: a shape that the output is given last; None for none.
    """
    initial = {"all": output, "factor": brightness, "axis": np.array([2])}
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["channels"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["channels"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["means"]),
        helper.make_node("Mul", ["means", "factor"], ["added"]),
        helper.make_node("Add", ["all", "added"], ["sum"]),
    ]
    if reshaped is None:
        nodes.append(helper.make_node("Identity", ["sum"], ["output0"]))
    else:
        initial["shape"] = np.array(reshaped)
        nodes.append(helper.make_node("Reshape", ["sum", "shape"], ["output0"]))
    made = helper.make_graph(
        nodes,
        "batched",
        [helper.make_tensor_value_info("images", FLOAT, ["N", *NCHW[1:]])],
        [helper.make_tensor_value_info("output0", FLOAT, ["N", *output.shape[1:]])],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in initial.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, properties)
    onnx.save(model, str(path))
    return str(path)


def image_itself(path, dtype=FLOAT, shape=NCHW):
    """Write an ONNX file whose output is its input."""
    kind = {FLOAT: np.float32, HALF: np.float16, BYTE: np.uint8}[dtype]
    made = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["same"])],
        "identity",
        [helper.make_tensor_value_info("images", dtype, shape)],
        [helper.make_tensor_value_info("same", dtype, shape)],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return str(path), kind


def yolov8(boxes, scores):
    """[1,4+C,N] of boxes (K,4) cx, cy, w, h and scores (K,C); 126 columns, as for 64 x 96 px."""
    rows = np.zeros((126, 4 + len(scores[0])), np.float32)
    rows[: len(boxes), :4], rows[: len(boxes), 4:] = boxes, scores
    return rows.T[None]


def yolov5(boxes, objectness, scores):
    """[1,N,5+C]; 378 rows, as for 64 x 96 px with three anchors."""
    rows = np.zeros((378, 5 + len(scores[0])), np.float32)
    rows[: len(boxes), :4], rows[: len(boxes), 5:] = boxes, scores
    rows[: len(boxes), 4] = objectness
    return rows[None]


def padded(rows, count):
    """[1,count,F] of rows (K,F), the rest zero."""
    rows = np.array(rows, np.float32)
    out = np.zeros((1, count, rows.shape[1]), np.float32)
    out[0, : len(rows)] = rows
    return out


def logits(probabilities):
    """Logits whose sigmoid has these values."""
    p = np.asarray(probabilities, np.float64)
    return np.log(p / (1 - p)).astype(np.float32)
