"""A served model as an ONNX file: converted, in a form that runs fast, with what it is."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tf2onnx
from onnx import helper, numpy_helper

from vidan.errors import ModelError

OPSET = 17
METADATA = "vidan"
# Only kernels that weigh something become float16: the small ones (depthwise, biases) are half of
# the rounding error and 2 % of the file.
SMALLEST_HALVED = 4096

Model = Any  # onnx's messages have no types


def convert(serve: Any) -> Model:
    """A TensorFlow function as an ONNX model, with its constants folded into its kernels.

    Batch norm becomes part of the convolutions, and the normalization of images one
    operation where it can.
    """
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    names = sorted(serve.get_concrete_function().structured_outputs)
    model, _ = tf2onnx.convert.from_function(
        serve, input_signature=serve.input_signature, opset=OPSET
    )
    found = [output.name for output in model.graph.output]
    if found != names:  # TensorFlow orders a dictionary's outputs by key
        _rename(model.graph, dict(zip(found, names, strict=True)))
    model = fold(model)
    normalize_at_once(model.graph)
    return model


def fold(model: Model) -> Model:
    """Let ONNX Runtime fold constants, and what follows convolutions into them.

    Only its basic optimizations: the result is plain ONNX, for any runtime.
    """
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        settings.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(settings.optimized_model_filepath)
    del folded.opset_import[:]  # it lists every domain that it knows
    folded.opset_import.append(helper.make_opsetid("", OPSET))
    return folded


def save(model: Model, description: Mapping[str, Any], path: Path) -> None:
    """Check a model and write it, with its description as metadata."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA, json.dumps(description)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def halve(graph: Any) -> None:
    """Store large kernels as float16, each followed by a Cast back (folded when loaded).

    Only kernels: anchors are coordinates up to the input's size, and would move by half a px.
    """
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name not in kernels or values.size < SMALLEST_HALVED:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            helper.make_node(
                "Cast", [f"{name}_half"], [name], f"{name}_cast", to=onnx.TensorProto.FLOAT
            )
        )
    put_nodes(graph, [*casts, *graph.node])


def normalize_at_once(graph: Any) -> None:
    """Make the normalization of images, `x / deviation - mean / deviation`, one operation.

    DequantizeLinear, `(x - zero) * scale`, does it exactly where the mean is whole and the
    same for all colors, as EfficientDet-Lite's is; elsewhere all is left as it is.
    """
    cast, scale, shift, transpose = (graph.node[i] for i in range(4))
    if [n.op_type for n in (cast, scale, shift, transpose)] != ["Cast", "Mul", "Add", "Transpose"]:
        return
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    factor, added = constants[scale.input[1]], constants[shift.input[1]]
    zero = -added / factor
    if np.ptp(factor) or np.ptp(zero) or not np.isclose(zero, np.rint(zero), atol=1e-5).all():
        return
    graph.initializer.extend(
        [
            numpy_helper.from_array(factor.ravel()[0], "picture_scale"),
            numpy_helper.from_array(np.array(np.rint(zero.ravel()[0]), np.uint8), "picture_zero"),
        ]
    )
    first = [
        helper.make_node("Transpose", ["images"], ["picture"], "picture", perm=[0, 3, 1, 2]),
        helper.make_node(
            "DequantizeLinear",
            ["picture", "picture_scale", "picture_zero"],
            [transpose.output[0]],
            "normalize",
        ),
    ]
    put_nodes(graph, [*first, *list(graph.node)[4:]])
    drop_unused(graph)


def put_nodes(graph: Any, nodes: Iterable[Any]) -> None:
    """Make these the nodes of the graph."""
    nodes = list(nodes)
    del graph.node[:]
    graph.node.extend(nodes)


def drop_unused(graph: Any) -> None:
    """Take out the constants that no node uses."""
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _rename(graph: Any, names: Mapping[str, str]) -> None:
    for output in graph.output:
        output.name = names[output.name]
    for node in graph.node:
        for side in (node.input, node.output):
            for i, name in enumerate(side):
                side[i] = names.get(name, name)


def check_outputs(graph: Any, values: Mapping[str, int]) -> None:
    """Hold the last dimension of each output against what it must be.

    Raises:
        ModelError: the conversion mixed them up.
    """
    for output in graph.output:
        last = output.type.tensor_type.shape.dim[-1].dim_value
        if last not in (0, values.get(output.name, last)):
            raise ModelError(f"output {output.name!r} has {last} values, not {values[output.name]}")
