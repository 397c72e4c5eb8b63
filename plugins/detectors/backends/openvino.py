"""ONNX files by OpenVINO, which is faster with models in floating point on many processors."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openvino as ov

from vidan.errors import ModelError
from vidan.support.stderr import quiet_stderr

from ...formats.onnx import read_properties
from ...formats.onnx_external_data import check_external_data
from ..errors import one_line
from ..exported.run import Array
from ..native.signature import Signature, Tensor

DEVICE = "CPU"


def is_faster() -> bool:
    """Whether OpenVINO is likely to be faster here with a model in floating point.

    It is where the processor computes in bfloat16, which OpenVINO then does of itself; in
    float32 the two are close, and ONNX Runtime starts sooner. An accelerator of ONNX Runtime's
    is faster than both.
    """
    from .onnxruntime import available_providers

    if available_providers()[0] not in ("cpu", "openvino"):
        return False
    return "BF16" in ov.Core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")


class OpenVino:
    """A model compiled by OpenVINO, for any number of threads at once.

    What it compiled is kept in the user's cache folder, so that the next start is faster.

    Args:
        path: of an ONNX file.
        where: the model, for errors.
        threads: that compute, all requests together.
        workers: requests that there are at once.

    Attributes:
        signature: inputs and outputs.
        properties: what the file says of itself, by key.

    Raises:
        ModelError: OpenVINO cannot read the file.
    """

    def __init__(self, path: Path, where: str, threads: int, workers: int) -> None:
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if workers == 1 else "THROUGHPUT",
            "NUM_STREAMS": workers,
            "INFERENCE_NUM_THREADS": threads,
        }
        folder = cache_folder()
        if folder is not None:
            settings["CACHE_DIR"] = str(folder)
        self.properties = read_properties(path, where)
        check_external_data(path, where)
        try:
            with quiet_stderr():  # what its readers of other formats have to say
                core = ov.Core()
                read: Any = core.read_model(str(path))
                named = _names(read)
                self._model: Any = core.compile_model(read, DEVICE, settings)
        except Exception as error:  # whatever it is, the model is at fault
            raise ModelError(
                f"{where}: not a model that OpenVINO can read (not ONNX, cut off, or too new): "
                f"{one_line(error)}"
            ) from error
        self.signature = Signature(
            _tensors(self._model.inputs, named), _tensors(self._model.outputs, named)
        )
        self._free: deque[Any] = deque()

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.Run`."""
        try:
            request = self._free.pop()
        except IndexError:  # there are as many as threads that call
            request = self._model.create_infer_request()
        try:
            # Its results are copies: the request may be used again at once.
            found = request.infer(dict(inputs))
            return [found[name] for name in outputs]
        finally:
            self._free.append(request)


def _names(model: Any) -> set[str]:
    """The names that a file gives its inputs and outputs."""
    return {name for node in (*model.inputs, *model.outputs) for name in node.get_names()}


def _tensors(nodes: Any, named: set[str]) -> dict[str, Tensor]:
    """A model's inputs or outputs by the file's names; compiling may have added others."""
    return {min(node.get_names() & named or node.get_names()): _tensor(node) for node in nodes}


def _tensor(node: Any) -> Tensor:
    shape = node.partial_shape
    if shape.rank.is_dynamic:
        return Tensor(str(node.element_type.to_dtype()), None)
    sizes = (size.get_length() if size.is_static else None for size in shape)
    return Tensor(str(node.element_type.to_dtype()), tuple(sizes))


def cache_folder() -> Path | None:
    """Where compiled models are kept, as the system has it; None if that cannot be written."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "vidan" / "openvino"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
