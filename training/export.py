"""`vidan export`: ONNX and SavedModel of a detector, with everything needed to use it."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console

from vidan.errors import ConfigError, ModelError, PluginError, did_you_mean

from . import recipe
from .model import TOP_K, detector, efficientdet
from .spec import Spec
from .weights import load, read_note, save, shipped

console = Console(stderr=True, soft_wrap=True)
OPSET = 17
# Only kernels that weigh something become float16: the small ones (depthwise, biases) are half of
# the rounding error and 2 % of the file.
SMALLEST_HALVED = 4096


def build(spec: Spec, weights: Path) -> tuple[keras.Model, keras.Model]:
    """The model with its weights, all of which must be in the file, and its exported form."""
    model = efficientdet(spec.model, len(spec.labels), spec.shapes)
    loaded = load(model, weights)
    if loaded.missing or loaded.unused:
        first = (loaded.missing + loaded.unused)[0]
        raise ModelError(f"{str(weights)!r} is not of this {spec.model!r}: {first!r} does not fit")
    return model, detector(model, *spec.size, spec.shapes, TOP_K)


def export_savedmodel(model: keras.Model, spec: Spec, folder: Path) -> None:
    """Write a SavedModel, signature `serving_default`, with `vidan.json` beside it."""
    tf = _import("tensorflow", "vidan[tf]")
    serve = _function(model, spec)
    module = tf.Module()
    module.model = model
    module.serve = serve
    tf.saved_model.save(module, str(folder), signatures={"serving_default": serve})
    (folder / "vidan.json").write_text(json.dumps(spec.metadata(), indent=1), encoding="utf-8")


def export_onnx(model: keras.Model, spec: Spec, path: Path, half: bool = True) -> None:
    """Write an ONNX file; `half` stores the weights as float16 and computes in float32."""
    tf2onnx = _import("tf2onnx", "vidan[train]")
    onnx = _import("onnx", "vidan[train]")
    serve = _function(model, spec)
    proto, _ = tf2onnx.convert.from_function(
        serve, input_signature=serve.input_signature, opset=OPSET
    )
    _name_outputs(proto.graph, spec)
    if half:
        _halve(proto.graph)
    entry = proto.metadata_props.add()
    entry.key, entry.value = "vidan", json.dumps(spec.metadata())
    onnx.checker.check_model(proto, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, str(path))


def _function(model: keras.Model, spec: Spec) -> Any:
    """The model as a TensorFlow function with the contract's names."""
    tf = _import("tensorflow", "vidan[tf]")
    if keras.backend.backend() != "tensorflow":
        raise ConfigError("export needs the TensorFlow backend: set KERAS_BACKEND=tensorflow")
    signature = [tf.TensorSpec([None, *spec.size, 3], tf.uint8, name="images")]

    def serve(images: Any) -> dict[str, Any]:
        outputs = model(images, training=False)
        return {name: tf.identity(outputs[name], name=name) for name in ("boxes", "scores")}

    return tf.function(serve, input_signature=signature)


def _name_outputs(graph: Any, spec: Spec) -> None:
    """Give the outputs the contract's names, by their last dimension if the converter lost them."""
    names = [output.name.split(":")[0] for output in graph.output]
    if names != ["boxes", "scores"]:  # from_function orders a dictionary's outputs by key
        _rename(graph, dict(zip([o.name for o in graph.output], ["boxes", "scores"], strict=True)))
    values = {"boxes": 4, "scores": len(spec.labels)}
    for output in graph.output:
        last = output.type.tensor_type.shape.dim[-1].dim_value
        if last not in (0, values[output.name]):
            raise ModelError(f"output {output.name!r} has {last} values, not {values[output.name]}")


def _rename(graph: Any, names: dict[str, str]) -> None:
    for output in graph.output:
        output.name = names[output.name]
    for node in graph.node:
        for side in (node.input, node.output):
            for i, name in enumerate(side):
                side[i] = names.get(name, name)


def _halve(graph: Any) -> None:
    """Store float32 weights as float16, each followed by a Cast back (folded when loaded)."""
    onnx = _import("onnx", "vidan[train]")
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(tensor)
        # Anchors are coordinates up to the input's size: float16 would move them by half a pixel.
        if values.size < SMALLEST_HALVED or np.abs(values).max() > 1e3 or _is_anchor(values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            onnx.helper.make_node(
                "Cast", [f"{name}_half"], [name], f"{name}_cast", to=onnx.TensorProto.FLOAT
            )
        )
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_anchor(values: Any) -> bool:
    """(A,1) or (1,A,1) constants of the decoder, A in the thousands; no kernel has that shape."""
    return bool(values.ndim <= 3 and values.shape[-1] == 1 and values.size > 1000)


def _import(name: str, package: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PluginError(f"export needs {name}: pip install {package}") from error


KEYS = ("weights", "onnx", "savedmodel", "npz", "half")
USAGE = (
    "weights=<file.npz> as vidan train wrote it (the model that ships without it);",
    "onnx=<file>, savedmodel=<folder> and npz=<file, float16> say what to write;",
    "half=false keeps float32 weights in the ONNX file.",
)


def main(argv: list[str]) -> int:
    """Export weights: `weights=<npz> onnx=<file> savedmodel=<folder> npz=<file> half=true`.

    Without `weights` it is the model that ships; `npz` are the weights again, as float16.
    """
    options = _options(
        recipe.overrides("vidan export", "Export a trained detector.", argv, " ".join(USAGE))
    )
    weights = Path(options.get("weights") or shipped())
    if not options.keys() & {"onnx", "savedmodel", "npz"}:
        raise ConfigError("nothing to export: say onnx=<file>, savedmodel=<folder> or npz=<file>")
    spec = Spec.parse(read_note(weights), str(weights))
    model, exported = build(spec, weights)
    if file := options.get("npz"):
        save(model, Path(file), "float16", json.dumps(spec.metadata()))
        console.print(f"weights: {file}, {Path(file).stat().st_size / 1e6:.1f} MB")
    if folder := options.get("savedmodel"):
        export_savedmodel(exported, spec, Path(folder))
        console.print(f"SavedModel: {folder}")
    if file := options.get("onnx"):
        export_onnx(exported, spec, Path(file), options.get("half", "true").lower() != "false")
        console.print(f"ONNX: {file}, {Path(file).stat().st_size / 1e6:.1f} MB")
    return 0


def _options(argv: Sequence[str]) -> dict[str, str]:
    options = {}
    for argument in argv:
        key, equals, value = argument.partition("=")
        if not equals or key not in KEYS:
            raise ConfigError(f"unknown argument {argument!r}; {did_you_mean(key, KEYS)}")
        options[key] = value
    return options
