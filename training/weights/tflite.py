"""Backbone weights from a fully quantized EfficientNet-Lite classifier in TFLite.

In these files batch norm is folded into kernels and biases, and the division of the input by 128
into the stem's kernel (the graph only multiplies by 255 and subtracts 127).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vidan.errors import ModelError
from vidan.support.extras import import_extra

from ..arrays import FloatArray
from ..model.backbones import BN_EPSILON, STAGES
from ..model.efficientdet import LITE_STD


def lite_weights(path: Path) -> dict[str, FloatArray]:
    """Read an int8 EfficientNet-Lite0 `.tflite` as arrays by Keras names, for lite0.

    Each batch norm gets gamma 1, beta = bias, mean 0 and variance 1 - epsilon, so that it only
    adds the bias. The classifier's top is left out.

    Raises:
        ModelError: the file cannot be read or is not an EfficientNet-Lite0.
        PluginError: TensorFlow is not installed.
    """
    interpreter = _interpreter(path)
    details = sorted(interpreter.get_tensor_details(), key=lambda d: d["index"])
    kernels = [d for d in details if d["dtype"] is np.int8 and _is_kernel(d)]
    names = _layer_names()
    if len(kernels) != len(names) + 1:  # + 1: the top convolution
        raise ModelError(
            f"{str(path)!r} has {len(kernels)} convolutions, but an EfficientNet-Lite0 has "
            f"{len(names) + 1}"
        )
    biases = {d["index"]: d for d in details if d["dtype"] is np.int32}
    arrays: dict[str, FloatArray] = {}
    for (conv, norm), detail in zip(names, kernels, strict=False):
        kernel = _dequantized(interpreter, detail)
        bias = _dequantized(interpreter, biases[detail["index"] + 1])
        depthwise = conv.endswith("dwconv")
        # TFLite: (1,h,w,C) for depthwise, (out,h,w,in) otherwise; Keras: (h,w,C,1), (h,w,in,out).
        kernel = kernel.transpose((1, 2, 3, 0))
        if conv == "stem_conv":
            kernel = kernel * np.float32(LITE_STD[0])
        arrays[f"{conv}/kernel"] = kernel
        channels = kernel.shape[2 if depthwise else 3]
        arrays[f"{norm}/gamma"] = np.ones(channels, np.float32)
        arrays[f"{norm}/beta"] = bias
        arrays[f"{norm}/moving_mean"] = np.zeros(channels, np.float32)
        arrays[f"{norm}/moving_variance"] = np.full(channels, 1 - BN_EPSILON, np.float32)
    return arrays


def _layer_names() -> list[tuple[str, str]]:
    """Names of the convolutions of lite0 in order, each with that of its batch norm."""
    names = [("stem_conv", "stem_bn")]
    for number, stage in enumerate(STAGES, start=1):
        for repeat in range(stage.repeats):
            block = f"block{number}{chr(ord('a') + repeat)}_"
            if stage.expand != 1:
                names.append((f"{block}expand_conv", f"{block}expand_bn"))
            names.append((f"{block}dwconv", f"{block}bn"))
            names.append((f"{block}project_conv", f"{block}project_bn"))
    return names


def _is_kernel(detail: dict[str, Any]) -> bool:
    return len(detail["shape"]) == 4 and len(detail["quantization_parameters"]["scales"]) > 1


def _dequantized(interpreter: Any, detail: dict[str, Any]) -> FloatArray:
    """Values of a symmetric per-channel tensor: integers times the channel's scale."""
    parameters = detail["quantization_parameters"]
    scales, axis = parameters["scales"], parameters["quantized_dimension"]
    shape = [1] * len(detail["shape"])
    shape[axis] = len(scales)
    values = interpreter.get_tensor(detail["index"]).astype(np.float32)
    return np.asarray(values * scales.reshape(shape), np.float32)


def _interpreter(path: Path) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        tensorflow = import_extra("tensorflow", "tf", repr(path.name))
        Interpreter = tensorflow.lite.Interpreter  # noqa: N806
    try:
        return Interpreter(str(path))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {str(path)!r}: {error}") from error
