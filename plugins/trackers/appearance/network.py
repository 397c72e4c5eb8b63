"""Re-identification networks in files: ONNX, run by ONNX Runtime, or OpenVINO IR."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidan.errors import ModelError
from vidan.support.extras import import_extra
from vidan.support.openvino_core import core
from vidan.support.stderr import quiet_stderr

from ...formats.onnx_external_data import check_external_data
from ...formats.openvino_ir import IR_SUFFIX, check_ir, read_properties

Array = npt.NDArray[Any]
Shape = tuple[int | None, ...]

log = logging.getLogger(__name__)

CONVERSION = "conversion_parameters"
"""Prefix of the keys by which OpenVINO's Model Optimizer notes what it put into the graph."""


@dataclass(frozen=True)
class Network:
    """An open network with one output.

    Attributes:
        run: images to the output.
        shape: of the input; None for each dynamic size.
        inputs: name, shape and type of each input, for errors.
        normalizes: whether the graph itself subtracts the mean and divides by the standard
            deviation, so that it takes colors from 0 to 255.
        bgr: whether it takes blue first.
    """

    run: Callable[[Array], Array]
    shape: Shape
    inputs: str
    normalizes: bool = False
    bgr: bool = False


def open_network(path: Path) -> Network:
    """Open a network by the library for its format.

    Raises:
        ModelError: the file cannot be read.
        PluginError: OpenVINO is needed and not installed.
    """
    if not path.is_file():
        raise ModelError("there is no such file")
    return _open_ir(path) if path.suffix.lower() == IR_SUFFIX else _open_onnx(path)


def _open_onnx(path: Path) -> Network:
    import onnxruntime as ort

    check_external_data(path)
    options = ort.SessionOptions()
    options.log_severity_level = 3  # errors only: they are raised as exceptions anyway
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    providers = [p for p in wanted if p in ort.get_available_providers()]
    try:
        session: Any = ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's errors have no common base class
        raise ModelError(f"not an ONNX model: {one_line(error)}") from error
    inputs, output = session.get_inputs(), session.get_outputs()[0].name
    return Network(
        lambda images: np.asarray(session.run([output], {inputs[0].name: images})[0]),
        _usable(inputs[0].shape if len(inputs) == 1 else (), inputs[0].type == "tensor(float)"),
        ", ".join(f"{i.name} {i.shape} {i.type}" for i in inputs),
    )


def _open_ir(path: Path) -> Network:
    openvino: Any = import_extra("openvino", "openvino")
    check_ir(path)
    try:
        with quiet_stderr():
            model = core().read_model(str(path))
            properties = read_properties(model, path)
            shapes = [tuple(_length(n) for n in node.partial_shape) for node in model.inputs]
            compiled = _compiled(model, shapes)
    except ModelError:
        raise
    except Exception as error:  # of several kinds, all about the model
        raise ModelError(f"not a model that OpenVINO can read: {one_line(error)}") from error
    inputs = compiled.inputs
    is_float = inputs[0].element_type == openvino.Type.f32
    shape = tuple(_length(size) for size in inputs[0].partial_shape)
    return Network(
        lambda images: np.asarray(compiled(images)[0]),
        _usable(shape if len(inputs) == 1 else (), is_float),
        ", ".join(
            f"{i.any_name} {i.partial_shape} {i.element_type.get_type_name()}" for i in inputs
        ),
        f"{CONVERSION}/mean_values" in properties,
        properties.get(f"{CONVERSION}/reverse_input_channels") == "True",
    )


def _compiled(model: Any, shapes: list[Shape]) -> Any:
    """The compiled model; for any number of images at once, if the graph allows it."""
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if len(shapes) == 1 and len(shapes[0]) == 4:
        batched = model.clone()
        try:
            batched.reshape([-1, *(-1 if n is None else n for n in shapes[0][1:])])
            if all(output.partial_shape[0].is_dynamic for output in batched.outputs):
                return core().compile_model(batched, "CPU", settings)
        except Exception as error:  # the graph is made for its own batch size
            log.debug("one batch size only: %s", one_line(error))
    return core().compile_model(model, "CPU", settings)


def _length(size: Any) -> int | None:
    return int(size.get_length()) if size.is_static else None


def _usable(shape: Any, is_float: bool) -> Shape:
    """The shape of the only input; () if it is not one of floats."""
    sizes = tuple(n if isinstance(n, int) and n > 0 else None for n in shape)
    return sizes if is_float else ()


def one_line(error: Exception) -> str:
    """The message of a library's error in one line."""
    return " ".join(str(error).split())
