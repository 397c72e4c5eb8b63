"""Opening a model in a file with the library for its format."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from vidan.errors import ConfigError, ModelError
from vidan.support.cores import compute_threads
from vidan.support.extras import not_installed

from ..formats.onnx import is_quantized, read_properties
from .exported.run import Array
from .native.signature import Signature

OPENVINO = importlib.util.find_spec("openvino") is not None
"""Whether OpenVINO is installed."""

TFLITE = importlib.util.find_spec("ai_edge_litert") is not None
"""Whether LiteRT is installed."""

FORMATS = {".xml": "openvino", ".tflite": "tflite"}
"""The library for each suffix; all other files are ONNX."""

METADATA_KEY = "vidan"
"""Metadata key under which a model in the native format stores its spec."""

Backend = Literal["onnxruntime", "openvino"]
Precision = Literal["float32", "bfloat16"]

log = logging.getLogger(__name__)


class Engine(Protocol):
    """An open model; any number of threads may run it at once."""

    signature: Signature
    accelerated: bool  # whether a device other than the CPU runs the model

    @property
    def properties(self) -> Mapping[str, str]:
        """The file's metadata by key."""
        ...

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.run.Run`."""
        ...


def open_engine(
    path: Path,
    backend: Backend | None = None,
    threads: int | None = None,
    workers: int = 1,
    providers: str | Sequence[str] | None = None,
    precision: Precision | None = None,
) -> Engine:
    """Open a model with the library for its format; for ONNX the one that is likely faster.

    For 8-bit integers that is ONNX Runtime. A library is imported only if it may be used.

    Args:
        path: of the ONNX or TFLite file, or the `.xml` of an OpenVINO IR.
        backend: for ONNX; None for the faster one.
        threads: compute threads; None for the physical cores.
        workers: threads that run the model at once.
        providers: of ONNX Runtime; None for the best available.
        precision: of OpenVINO; None for the one that is right for the model.

    Raises:
        ConfigError: the backend cannot read that format.
        PluginError: the library is not installed.
        ModelError: there is no such file, or it cannot be read.
    """
    _check_file(path)
    threads = threads or compute_threads()
    needed = FORMATS.get(path.suffix.lower())
    if needed is not None and backend not in (None, needed):
        raise ConfigError(f"backend={backend!r}: it cannot read {path.suffix} files: omit it")
    if needed == "tflite":
        if not TFLITE:
            raise not_installed("ai-edge-litert", "tflite", repr(path.name))
        from .backends.tflite import TfLite

        return TfLite(path, max(1, threads // workers))
    if "openvino" in (needed, backend):
        if not OPENVINO:
            why = repr(path.name) if needed else "detector.backend='openvino'"
            raise not_installed("openvino", "openvino", why)
        from .backends.openvino import OpenVino

        return OpenVino(path, threads, workers, precision or _usual_precision(path))
    if backend is None and OPENVINO and providers is None and not is_quantized(path):
        found = _open_if_faster(path, threads, workers, precision)
        if found is not None:
            return found
    from .backends.onnxruntime import OnnxRuntime

    return OnnxRuntime(path, max(1, threads // workers), providers)


def _open_if_faster(
    path: Path, threads: int, workers: int, precision: Precision | None
) -> Engine | None:
    """A float model with OpenVINO, where it may compute in bfloat16; None where that is no gain."""
    from .backends.openvino import OpenVino, is_faster

    try:
        if (precision or _usual_precision(path)) == "bfloat16" and is_faster():
            return OpenVino(path, threads, workers, "bfloat16")
    except ModelError as error:  # ONNX Runtime reports what is wrong
        log.debug("%s", error)
    return None


def _usual_precision(path: Path) -> Precision:
    """`bfloat16` for the native format, `float32` for exports."""
    if path.suffix.lower() in FORMATS:
        return "float32"
    return "bfloat16" if METADATA_KEY in read_properties(path) else "float32"


def _check_file(path: Path) -> None:
    """Check that a file exists and is not empty.

    Raises:
        ModelError: it does not exist, or is empty.
    """
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise ModelError(f"{what}: set detector.model=<file>")
    if path.stat().st_size == 0:
        raise ModelError("the file is empty")
