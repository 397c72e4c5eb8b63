"""Conversion of a served model to an ONNX file that runs fast and describes itself."""

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
METADATA_KEY = "vidan"
MIN_HALF_SIZE = 4096
"""Kernels with fewer values remain float32: they are 2 % of the file, but contribute half of the
rounding error (depthwise kernels)."""

OnnxModel = Any  # protobuf messages have no types


def convert(serve: Any) -> OnnxModel:
    """Convert a TensorFlow function to an ONNX model.

    Constants are folded, batch norm becomes part of the convolutions, and the normalization of
    images becomes a single operation where possible.
    """
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    names = sorted(serve.get_concrete_function().structured_outputs)
    model, _ = tf2onnx.convert.from_function(
        serve, input_signature=serve.input_signature, opset=OPSET
    )
    found = [output.name for output in model.graph.output]
    if found != names:  # TensorFlow sorts the outputs in a dictionary by key
        _rename(model.graph, dict(zip(found, names, strict=True)))
    model = fold_constants(model)
    merge_normalization(model.graph)
    return model


def fold_constants(model: OnnxModel) -> OnnxModel:
    """Let ONNX Runtime fold constants, and operations after convolutions into their kernels.

    Uses only its basic optimizations, so that the result is plain ONNX for any runtime.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        folded = onnx.load(options.optimized_model_filepath)
    del folded.opset_import[:]  # ONNX Runtime lists every domain that it knows
    folded.opset_import.append(helper.make_opsetid("", OPSET))
    return folded


def save(model: OnnxModel, description: Mapping[str, Any], path: Path) -> None:
    """Check a model and write it, with its description as metadata."""
    del model.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, json.dumps(description)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def store_kernels_as_float16(graph: Any) -> None:
    """Store large kernels as float16, each followed by a Cast that is folded on loading.

    Anchors remain float32, because their coordinates would be off by up to half a px.
    """
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.name not in kernels or values.size < MIN_HALF_SIZE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            helper.make_node(
                "Cast", [f"{name}_half"], [name], f"{name}_cast", to=onnx.TensorProto.FLOAT
            )
        )
    replace_nodes(graph, [*casts, *graph.node])


def merge_normalization(graph: Any) -> None:
    """Make the normalization of images, `x / deviation - mean / deviation`, one operation.

    DequantizeLinear, `(x - zero) * scale`, is equivalent if the mean is an integer and the same
    for all colors, as in EfficientDet-Lite; otherwise the graph is left unchanged.
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
            numpy_helper.from_array(factor.ravel()[0], "image_scale"),
            numpy_helper.from_array(np.array(np.rint(zero.ravel()[0]), np.uint8), "image_zero"),
        ]
    )
    first = [
        helper.make_node("Transpose", ["images"], ["image"], "image", perm=[0, 3, 1, 2]),
        helper.make_node(
            "DequantizeLinear",
            ["image", "image_scale", "image_zero"],
            [transpose.output[0]],
            "normalize",
        ),
    ]
    replace_nodes(graph, [*first, *list(graph.node)[4:]])
    remove_unused_constants(graph)


def replace_nodes(graph: Any, nodes: Iterable[Any]) -> None:
    """Replace the nodes of a graph."""
    nodes = list(nodes)
    del graph.node[:]
    graph.node.extend(nodes)


def remove_unused_constants(graph: Any) -> None:
    """Remove the constants that no node uses."""
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
    """Check the last dimension of each output.

    Raises:
        ModelError: the conversion confused the outputs.
    """
    for output in graph.output:
        last = output.type.tensor_type.shape.dim[-1].dim_value
        if last not in (0, values.get(output.name, last)):
            raise ModelError(f"output {output.name!r} has {last} values, not {values[output.name]}")
