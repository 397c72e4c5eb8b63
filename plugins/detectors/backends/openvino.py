"""Running ONNX and OpenVINO IR files with OpenVINO.

It is faster than ONNX Runtime for float models on many processors, and the only library for IR.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidan.errors import ModelError
from vidan.support.openvino_core import core
from vidan.support.stderr import quiet_stderr

from ...formats.onnx import read_properties
from ...formats.onnx_external_data import check_external_data
from ...formats.openvino_ir import IR_SUFFIX, check_ir
from ...formats.openvino_ir import read_properties as ir_properties
from ..errors import one_line
from ..exported.run import Array
from ..native.signature import Signature, Tensor

DEVICE = "CPU"


def is_faster() -> bool:
    """Whether OpenVINO is likely to be faster on this machine with a float model.

    It is on a processor with bfloat16 arithmetic, which OpenVINO then uses; in float32 the two
    are close, and ONNX Runtime starts sooner. ONNX Runtime on an accelerator is faster than both.
    """
    from .onnxruntime import available_providers

    if available_providers()[0] not in ("cpu", "openvino"):
        return False
    return "BF16" in core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")


class OpenVino:
    """A model compiled by OpenVINO, for any number of threads at once.

    The compiled model is cached in the user's cache folder to make the next start faster.

    Args:
        path: of an ONNX file, or the `.xml` of an IR whose `.bin` lies next to it.
        threads: compute threads of all runs together.
        workers: number of concurrent runs.
        precision: `float32`, or `bfloat16` if the processor has it.

    Attributes:
        signature: inputs and outputs.
        properties: the file's metadata by key; for an IR see `openvino_ir.read_properties`.
        accelerated: False: it runs on the CPU.

    Raises:
        ModelError: OpenVINO cannot read the file, or the weights of an IR are missing.
    """

    accelerated = False

    def __init__(self, path: Path, threads: int, workers: int, precision: str) -> None:
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if workers == 1 else "THROUGHPUT",
            "NUM_STREAMS": workers,
            "INFERENCE_NUM_THREADS": threads,
        }
        if precision == "float32":  # its default is bfloat16 where the processor has that
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        folder = cache_folder()
        if folder is not None:
            settings["CACHE_DIR"] = str(folder)
        is_ir = path.suffix == IR_SUFFIX
        if is_ir:
            check_ir(path)
        else:
            self.properties = read_properties(path)
            check_external_data(path)
        openvino = core()
        try:
            with quiet_stderr():  # its readers of other formats print warnings
                read: Any = openvino.read_model(str(path))
                named = _names(read)
                if is_ir:
                    self.properties = ir_properties(read, path)
                self._model: Any = openvino.compile_model(read, DEVICE, settings)
        except ModelError:
            raise
        except Exception as error:  # of several kinds, all about the model
            kind = "OpenVINO IR" if is_ir else "ONNX"
            raise ModelError(
                f"not a model that OpenVINO can read (not {kind}, cut off, or too new): "
                f"{one_line(error)}"
            ) from error
        self.signature = Signature(
            _tensors(self._model.inputs, named), _tensors(self._model.outputs, named)
        )
        self._free: deque[Any] = deque()

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.run.Run`."""
        try:
            request = self._free.pop()
        except IndexError:  # one request per calling thread
            request = self._model.create_infer_request()
        try:
            # The results are copies, so the request can be reused at once.
            found = request.infer(dict(inputs))
            return [found[name] for name in outputs]
        finally:
            self._free.append(request)


def _names(model: Any) -> set[str]:
    """The names that a file gives its inputs and outputs."""
    return {name for node in (*model.inputs, *model.outputs) for name in node.get_names()}


def _tensors(nodes: Any, named: set[str]) -> dict[str, Tensor]:
    """Inputs or outputs by their names in the file; compiling may have added others."""
    return {min(node.get_names() & named or node.get_names()): _tensor(node) for node in nodes}


def _tensor(node: Any) -> Tensor:
    shape = node.partial_shape
    if shape.rank.is_dynamic:
        return Tensor(str(node.element_type.to_dtype()), None)
    sizes = (size.get_length() if size.is_static else None for size in shape)
    return Tensor(str(node.element_type.to_dtype()), tuple(sizes))


def cache_folder() -> Path | None:
    """The system's folder for compiled models; None if it is not writable."""
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
