"""int8 after training: ONNX Runtime's static quantization, with real images for the ranges.

QDQ, each output channel of a kernel with its own scale; activations uint8 with a zero of their
own (so that ReLU6 costs nothing: its limits are those of the range), kernels int8. The
arithmetic of boxes and scores stays float32: it is a thousandth of the work. Method: Jacob et
al. 2018 (arXiv 1712.05877, section 2).
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
from .onnx import drop_unused, put_nodes

QUANTIZED = ["Conv", "Add", "MaxPool", "Resize", "Clip"]
PICTURES = 32
"""Enough: see docs/training.md for other numbers."""


def choose(data: str, count: int, seed: int = 0) -> list[Sample]:
    """Images to measure ranges on, drawn without return.

    Args:
        data: a recipe (of whose images those for training are taken), or data of any format.
        count: how many; all there are if there are fewer.
        seed: of the draw.
    """
    if data in recipe.recipes():
        samples = list(read_recipe_data(recipe.load_recipe([f"recipe={data}"]))[1])
    else:
        samples = [s for _, dataset in read_datasets(data, READ_OPTIONS) for s in dataset.samples()]
    if not samples:
        raise ConfigError(f"calibration={data!r} has no pictures")
    rows = np.random.default_rng(seed).permutation(len(samples))[:count]
    return [samples[i] for i in sorted(rows)]


def pictures(samples: Sequence[Sample], size: tuple[int, int]) -> Iterator[Image]:
    """Each image as the network sees it, (1,H,W,3) uint8."""
    for sample in samples:
        yield letterbox(sample.image(), *size)[0][None]


def quantize(model: Any, images: Iterator[Image]) -> Any:
    """A float32 model (see `onnxfile.convert`) as int8.

    Args:
        model: with float32 kernels and an input `images`.
        images: what it will typically see, each (1,H,W,3) uint8.
    """
    logging.getLogger().addFilter(_quiet)  # it advises to fold, which is done
    try:
        ranges = _ranges(model, images)
        quantizer = QDQQuantizer(
            save_and_reload_model_with_shape_infer(model),
            per_channel=True,
            # Seven bits of each kernel: with eight, processors without VNNI (before 2019) add
            # products of uint8 and int8 in 16 bits, which may saturate.
            reduce_range=True,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=ranges,
            nodes_to_quantize=[],
            nodes_to_exclude=_after_the_heads(model.graph),
            op_types_to_quantize=QUANTIZED,
            extra_options={},
        )
        quantized = quantizer.quantize_model()
        quantizer.model.topological_sort()  # it leaves the new nodes at the end
    finally:
        logging.getLogger().removeFilter(_quiet)
    take_images_as_they_are(quantized.graph)
    return quantized


def _quiet(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING


def _ranges(model: Any, images: Iterator[Image]) -> Any:
    """Least and greatest value of each tensor over all images, one image at a time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.onnx"
        onnx.save(model, str(path))
        calibrator = create_calibrator(
            path,
            QUANTIZED,
            augmented_model_path=str(path.with_name("augmented.onnx")),
            calibrate_method=CalibrationMethod.MinMax,
        )
        for image in images:
            calibrator.collect_data(_One(image))
        return calibrator.compute_data()


class _One:
    """An image in the form in which ONNX Runtime asks for them."""

    def __init__(self, image: Image) -> None:
        self._left = [{"images": image}]

    def get_next(self) -> dict[str, Image] | None:
        return self._left.pop() if self._left else None


def _after_the_heads(graph: Any) -> list[str]:
    """Nodes that come after the last convolution: they compute boxes, scores and features."""
    kinds = {output: node for node in graph.node for output in node.output}
    waiting, after = [output.name for output in graph.output], set()
    while waiting:
        node = kinds.get(waiting.pop())
        if node is None or node.op_type == "Conv" or node.name in after:
            continue
        after.add(node.name)
        waiting += node.input
    return sorted(after)


def take_images_as_they_are(graph: Any) -> None:
    """Leave out rounding the normalized image: its uint8 pixels are the rounded values.

    (x - 127) / 128 quantized to 8 bits over its whole range is x again: the first convolution
    takes the pixels, at a quarter of the bytes and without error.
    """
    users: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    first = next((n for n in graph.node if n.name == "normalize"), None)
    if first is None:
        return
    (rounding,) = users[first.output[0]]
    if rounding.op_type != "QuantizeLinear":
        return
    (again,) = users[rounding.output[0]]
    first.output[0] = again.output[0]
    gone = {rounding.name, again.name}
    put_nodes(graph, [node for node in graph.node if node.name not in gone])
    drop_unused(graph)
