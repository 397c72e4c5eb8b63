"""Running TFLite files with LiteRT, the successor of the TensorFlow Lite interpreter.

Quantized outputs become float32. A quantized input takes whole numbers where these are pixels
(from -1 to 1, or from 0 to 255, as the TensorFlow Object Detection API has them), and float32
otherwise. Source: ai.google.dev/edge/litert, "Quantization specification".
"""

from __future__ import annotations

import ast
import json
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from vidan.errors import ModelError
from vidan.support.stderr import quiet_stderr

from ..errors import one_line
from ..exported.run import Array
from ..native.signature import Signature, Tensor

TFLITE_SUFFIX = ".tflite"

MAX_METADATA = 10_000_000
"""Bytes of a file that is packed into a model."""

DAMAGED = (OSError, ValueError, SyntaxError, MemoryError, RecursionError, zipfile.BadZipFile)
"""What reading such files raises; memory is short for brackets that are nested too deeply."""

POSTPROCESS = "TFLite_Detection_PostProcess"
"""The operator at the end of an SSD; its outputs are called that, `:1`, `:2` and `:3`."""

PIXEL_LEVELS = 256
RANGE_TOLERANCE = 0.02


class Quantization(NamedTuple):
    """How 8-bit numbers stand for real ones: real = (number - zero) * scale; 0 for not at all."""

    scale: float
    zero: int

    def real(self, numbers: Array) -> Array:
        """Real numbers, float32."""
        return ((numbers.astype(np.float32) - self.zero) * self.scale).astype(np.float32)

    def numbers(self, real: Array, dtype: np.dtype[Any]) -> Array:
        """8-bit numbers, rounded and limited to their range."""
        info = np.iinfo(dtype)
        return np.clip(np.round(real / self.scale) + self.zero, info.min, info.max).astype(dtype)


class TfLite:
    """A model run by LiteRT, for any number of threads at once.

    Args:
        path: of a TFLite file.
        threads: compute threads per run.

    Attributes:
        signature: inputs and outputs.
        properties: the metadata that Ultralytics appends, and `labels`, a list in JSON, if a label
            file is packed into the model.
        accelerated: False: it runs on the CPU.

    Raises:
        ModelError: LiteRT cannot read the file.
    """

    accelerated = False

    def __init__(self, path: Path, threads: int) -> None:
        self._path, self._threads = path, threads
        first = self._open()
        inputs, outputs = first.get_input_details(), first.get_output_details()
        self._names = _output_names(first, outputs)
        self._inputs = {each["name"]: each for each in inputs}
        self._outputs = dict(zip(self._names, outputs, strict=True))
        self.signature = Signature(
            {name: _input(each) for name, each in self._inputs.items()},
            {name: _output(each) for name, each in self._outputs.items()},
        )
        self.properties = _properties(path)
        self._free = deque([first])

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.run.Run`."""
        try:
            interpreter = self._free.pop()
        except IndexError:  # an interpreter runs one image at a time
            interpreter = self._open()
        try:
            for name, value in inputs.items():
                _set(interpreter, self._inputs[name], value)
            interpreter.invoke()
            return [_get(interpreter, self._outputs[name]) for name in outputs]
        finally:
            self._free.append(interpreter)

    def _open(self) -> Any:
        try:
            with quiet_stderr():  # it prints which delegates it creates
                interpreter = Interpreter(str(self._path), num_threads=self._threads)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                "not a model that LiteRT can read (not TFLite, cut off, or with operators of "
                f"TensorFlow): {one_line(error)}"
            ) from error
        return interpreter


def _set(interpreter: Any, details: Mapping[str, Any], value: Array) -> None:
    quantization, dtype = _quantization(details), np.dtype(details["dtype"])
    if value.dtype == np.uint8 and dtype == np.int8:
        value = (value.astype(np.int16) - 128).astype(np.int8)
    elif value.dtype.kind == "f" and dtype.kind in "iu" and quantization.scale:
        value = quantization.numbers(value, dtype)
    if tuple(details["shape"]) != value.shape:
        interpreter.resize_tensor_input(details["index"], value.shape)
        interpreter.allocate_tensors()
    interpreter.set_tensor(details["index"], value)


def _get(interpreter: Any, details: Mapping[str, Any]) -> Array:
    value: Array = interpreter.get_tensor(details["index"])
    quantization = _quantization(details)
    return quantization.real(value) if quantization.scale else value


def _quantization(details: Mapping[str, Any]) -> Quantization:
    scale, zero = details["quantization"]
    return Quantization(float(scale), int(zero))


def _input(details: Mapping[str, Any]) -> Tensor:
    """An input as the detector sees it: real numbers, or pixels."""
    dtype = np.dtype(details["dtype"])
    if dtype.kind not in "iu" or dtype.itemsize > 1:
        return Tensor(dtype.name, _shape(details))
    scale, zero = _quantization(details)
    low, high = (np.iinfo(dtype).min - zero) * scale, (np.iinfo(dtype).max - zero) * scale
    is_pixels = not scale or any(
        abs(low - start) <= RANGE_TOLERANCE * (end - start)
        and abs(high - end) <= RANGE_TOLERANCE * (end - start)
        for start, end in ((-1.0, 1.0), (0.0, 255.0))
    )
    return Tensor("uint8" if is_pixels else "float32", _shape(details))


def _output(details: Mapping[str, Any]) -> Tensor:
    dtype = "float32" if _quantization(details).scale else np.dtype(details["dtype"]).name
    shape = _shape(details)
    return Tensor(dtype, shape or None)  # the shapes of some operators' outputs are not known


def _shape(details: Mapping[str, Any]) -> tuple[int | None, ...]:
    return tuple(None if size < 0 else int(size) for size in details["shape_signature"])


def _output_names(interpreter: Any, outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the outputs; those of a `POSTPROCESS` by its order, which converters lose."""
    names = {each["index"]: each["name"] for each in outputs}
    for operation in interpreter._get_ops_details():
        if operation["op_name"] == POSTPROCESS:
            for place, index in enumerate(operation["outputs"]):
                names[int(index)] = f"{POSTPROCESS}:{place}" if place else POSTPROCESS
    return [names[each["index"]] for each in outputs]


def _properties(path: Path) -> dict[str, str]:
    """Files packed into the model: Ultralytics' metadata, or labels.

    Raises:
        ModelError: they cannot be read.
    """
    if not zipfile.is_zipfile(path):
        return {}
    found: dict[str, str] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.file_size > MAX_METADATA:
                    raise ValueError(f"{entry.filename!r} has more than {MAX_METADATA} bytes")
                text = archive.read(entry).decode("utf-8")
                found |= dict(_packed(entry.filename, text))
    except DAMAGED as error:
        raise ModelError(f"cannot read the metadata packed into it: {one_line(error)}") from error
    return found


def _packed(name: str, text: str) -> Iterator[tuple[str, str]]:
    if text.lstrip().startswith("{"):  # of Ultralytics, as JSON or as Python writes it
        values = json.loads(text) if name.endswith(".json") else ast.literal_eval(text)
        yield from ((str(key), str(value)) for key, value in values.items())
    elif name.endswith(".txt"):
        yield "labels", json.dumps([line.strip() for line in text.splitlines() if line.strip()])
