"""int8 quantization after training: ONNX Runtime's static quantization, calibrated on images.

QDQ format, with a scale for each output channel of a kernel. Activations are uint8 with a zero
point (so that ReLU6 is free: its limits are those of the range), kernels are int8. The decoding
of boxes and scores stays float32, because it is a thousandth of the work. Method: Jacob et al.
2018 (arXiv 1712.05877, section 2).
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import create_calibrator
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import save_and_reload_model_with_shape_infer

from vidan.errors import ConfigError
from vidan.types import Image

from .. import recipe
from ..data.augment import letterbox
from ..data.loading import READ_OPTIONS, read_datasets, read_recipe_data
from ..data.sample import Sample
from .onnx import remove_unused_constants, replace_nodes

QUANTIZED_OPERATORS = ["Conv", "Add", "MaxPool", "Resize", "Clip"]


def calibration_samples(data: str, count: int, seed: int = 0) -> list[Sample]:
    """Draw samples for calibration, without replacement.

    Args:
        data: a recipe, whose training images are used, or data of any format.
        count: number of samples; all, if there are fewer.
        seed: of the draw.

    Raises:
        ConfigError: there are no images.
    """
    if data in recipe.recipes():
        samples = list(read_recipe_data(recipe.load_recipe([f"recipe={data}"]))[1])
    else:
        datasets = read_datasets(data, READ_OPTIONS)
        samples = [sample for _, dataset in datasets for sample in dataset.samples()]
    if not samples:
        raise ConfigError(f"calibration={data!r} has no images")
    rows = np.random.default_rng(seed).permutation(len(samples))[:count]
    return [samples[i] for i in sorted(rows)]


def network_inputs(samples: Sequence[Sample], size: tuple[int, int]) -> Iterator[Image]:
    """Yield each image as the network's input: letterboxed, (1,H,W,3) uint8."""
    for sample in samples:
        yield letterbox(sample.image(), *size)[0][None]


def quantize(model: Any, images: Iterator[Image]) -> Any:
    """Quantize a float32 model.

    Args:
        model: an ONNX model with float32 kernels and the input `images`, see `onnx.convert`.
        images: typical inputs, (1,H,W,3) uint8 each.
    """
    logging.getLogger().addFilter(_is_error)  # it recommends folding, which is done already
    try:
        ranges = _ranges(model, images)
        quantizer = QDQQuantizer(
            save_and_reload_model_with_shape_infer(model),
            per_channel=True,
            # Seven bits for kernels: with eight, processors without VNNI (before 2019) add
            # products of uint8 and int8 in 16 bits, which may saturate.
            reduce_range=True,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=ranges,
            nodes_to_quantize=[],
            nodes_to_exclude=_nodes_after_convolutions(model.graph),
            op_types_to_quantize=QUANTIZED_OPERATORS,
            extra_options={},
        )
        quantized = quantizer.quantize_model()
        quantizer.model.topological_sort()  # new nodes are at the end
    finally:
        logging.getLogger().removeFilter(_is_error)
    remove_input_quantization(quantized.graph)
    return quantized


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING


def _ranges(model: Any, images: Iterator[Image]) -> Any:
    """Minimum and maximum of each tensor over all images, processed one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        onnx.save(model, str(path))
        calibrator = create_calibrator(
            path,
            QUANTIZED_OPERATORS,
            augmented_model_path=str(path.with_name("augmented.onnx")),
            calibrate_method=CalibrationMethod.MinMax,
        )
        for image in images:
            calibrator.collect_data(_SingleImageReader(image))
        return calibrator.compute_data()


class _SingleImageReader:
    """One image, with the interface that ONNX Runtime expects of calibration data."""

    def __init__(self, image: Image) -> None:
        self._remaining = [{"images": image}]

    def get_next(self) -> dict[str, Image] | None:
        return self._remaining.pop() if self._remaining else None


def _nodes_after_convolutions(graph: Any) -> list[str]:
    """Nodes after the last convolutions, which compute boxes, scores and features."""
    producers = {output: node for node in graph.node for output in node.output}
    pending, after = [output.name for output in graph.output], set()
    while pending:
        node = producers.get(pending.pop())
        if node is None or node.op_type == "Conv" or node.name in after:
            continue
        after.add(node.name)
        pending += node.input
    return sorted(after)


def remove_input_quantization(graph: Any) -> None:
    """Remove the quantization of the normalized image, whose pixels are uint8 already.

    (x - 127) / 128 quantized to 8 bits over its whole range is x again: the first convolution
    takes the pixels, at a quarter of the bytes and without error.
    """
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    images = graph.input[0].name
    transposed = {n.output[0] for n in users[images] if n.op_type == "Transpose"}
    first = next((n for n in graph.node if n.input and n.input[0] in transposed), None)
    if first is None or first.op_type != "DequantizeLinear":
        return
    (quantization,) = users[first.output[0]]
    if quantization.op_type != "QuantizeLinear":
        return
    (dequantization,) = users[quantization.output[0]]
    first.output[0] = dequantization.output[0]
    removed = {quantization.name, dequantization.name}
    replace_nodes(graph, [node for node in graph.node if node.name not in removed])
    remove_unused_constants(graph)
