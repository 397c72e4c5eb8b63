"""ONNX files by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from vidan.errors import ModelError

from ..external import check_external_data
from .contract import Signature, Tensor
from .efficientdet import one_line
from .exported import Array
from .providers import check_started, choose_providers

_ERROR, _FATAL = 3, 4  # levels of ONNX Runtime's log, which goes to standard error
_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}


class OnnxRuntime:
    """A session of ONNX Runtime, for any number of threads at once.

    Args:
        path: of an ONNX file.
        where: the model, for errors.
        threads: that compute one request.
        providers: where to compute, in order; None for the best that is there.

    Attributes:
        signature: inputs and outputs.
        properties: what the file says of itself, by key.

    Raises:
        ConfigError: a provider is unknown or, where it was asked for, does not start.
        ModelError: ONNX Runtime cannot read the file.
    """

    def __init__(
        self, path: Path, where: str, threads: int, providers: str | Sequence[str] | None
    ) -> None:
        chosen = choose_providers(providers)
        check_external_data(path, where)
        self._session: ort.InferenceSession = _open(path, where, chosen, threads)
        check_started(chosen, self._session, strict=providers is not None)
        self.signature, self.properties = _inspect(self._session, where)

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.Run`."""
        found: Sequence[Array] = self._session.run(outputs, inputs)
        return found


def settings(threads: int) -> ort.SessionOptions:
    """Of a session whose operators so many threads compute."""
    made = ort.SessionOptions()
    made.log_severity_level = _FATAL  # a session's errors are raised as well
    made.intra_op_num_threads = threads
    # Threads that wait for work by spinning take the time that decoding and encoding need.
    made.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return made


def _open(path: Path, where: str, providers: Sequence[str], threads: int) -> ort.InferenceSession:
    """Open an ONNX file: on the providers, or on the CPU alone if they do not start.

    Raises:
        ModelError: ONNX Runtime cannot read it.
    """
    ort.set_default_logger_severity(_ERROR)  # why a provider does not start is said only there
    try:
        # Its own fallback prints to the user's terminal.
        return ort.InferenceSession(
            str(path), settings(threads), providers=list(providers), enable_fallback=False
        )
    except Exception as error:  # ONNX Runtime's errors share no class but this one
        if len(providers) > 1:
            return _open(path, where, providers[-1:], threads)
        raise ModelError(
            f"{where}: not a model that ONNX Runtime can read (not ONNX, cut off, or too new): "
            f"{one_line(error)}"
        ) from error


def _inspect(session: ort.InferenceSession, where: str) -> tuple[Signature, dict[str, str]]:
    """Inputs and outputs of a model, and its metadata by key.

    Raises:
        ModelError: they are not text.
    """
    try:
        inputs = {node.name: _tensor(node) for node in session.get_inputs()}
        outputs = {node.name: _tensor(node) for node in session.get_outputs()}
        properties: dict[str, str] = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise ModelError(f"{where}: its names or metadata are not UTF-8: damaged?") from error
    return Signature(inputs, outputs), properties


def _tensor(node: Any) -> Tensor:
    """A graph's input or output; sizes that may vary have a name there, or none."""
    inner = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return Tensor(_DTYPES.get(node.type, inner), shape)
