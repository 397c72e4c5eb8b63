"""A model that never ends for images that are bright enough, and is a YOLO export otherwise."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def endless(path, brightness):
    """Write an ONNX file.

    Args:
        path: of the file.
        brightness: mean of an image, 0 to 1, above which its loop does not end.
    """
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Identity", ["value_in"], ["value_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_in", FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_out", FLOAT, []),
        ],
    )
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Greater", ["mean", "limit"], ["bright"]),
        helper.make_node("Loop", ["", "bright", "mean"], ["last"], body=body),
        helper.make_node("Mul", ["last", "zero"], ["nothing"]),
        helper.make_node("Add", ["all", "nothing"], ["output0"]),
    ]
    initial = {"limit": brightness, "zero": 0.0, "all": np.zeros((1, 6, 21))}
    made = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("images", FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("output0", FLOAT, [1, 6, 21])],
        [numpy_helper.from_array(np.float32(v), name) for name, v in initial.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"task": "detect", "names": "{0: 'a', 1: 'b'}"})
    onnx.save(model, str(path))
    return str(path)
