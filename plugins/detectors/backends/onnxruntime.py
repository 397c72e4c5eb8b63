"""Running ONNX files with ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from vidan import options
from vidan.errors import ConfigError, ModelError, did_you_mean

from ...formats.onnx_external_data import check_external_data
from ..errors import one_line
from ..exported.run import Array
from ..native.signature import Signature, Tensor

PREFERRED = ("cuda", "rocm", "migraphx", "coreml", "openvino", "cpu")
"""Execution providers used by default, best first.

Without TensorRT, which builds for minutes in the first run, and DirectML, which cannot run a
model from several threads.
"""

SUFFIX = "ExecutionProvider"

logger = logging.getLogger(__name__)


def available_providers() -> list[str]:
    """Short names of the installed execution providers, in the order of preference.

    Those that are not used by default come last.
    """
    found = map(short_name, ort.get_available_providers())
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}
    return sorted(found, key=lambda name: ranks.get(name, len(ranks)))


def short_name(provider: str) -> str:
    """`cuda` for `CUDAExecutionProvider`; a short name in lower case."""
    return provider.removesuffix(SUFFIX).lower()


def choose_providers(wanted: str | Sequence[str] | None) -> list[str]:
    """Full names of the execution providers to use, the CPU last.

    Args:
        wanted: their names, short or full; None for the available `PREFERRED` ones.

    Raises:
        ConfigError: one is unknown, or not in this build of ONNX Runtime.
    """
    here = available_providers()
    if wanted is None:
        chosen = [name for name in here if name in PREFERRED]
    else:
        chosen = [short_name(name) for name in options.names("providers", wanted)]
        for name in chosen:
            _check_available(name, here)
    full = {short_name(name): name for name in ort.get_available_providers()}
    accelerators = dict.fromkeys(name for name in chosen if name != "cpu")
    return [full[name] for name in (*accelerators, "cpu")]


def _check_available(name: str, here: Sequence[str]) -> None:
    if name in here:
        return
    known = [short_name(provider) for provider in ort.get_all_providers()]
    if name in known:
        raise ConfigError(
            f"providers: {name!r} is not in this build of onnxruntime, which has "
            f"{', '.join(here)}: install the onnxruntime package that includes it"
        )
    raise ConfigError(f"providers: unknown {name!r}; {did_you_mean(name, known)}")


def check_started(chosen: Sequence[str], session: ort.InferenceSession, strict: bool) -> None:
    """Check that the chosen providers, by full name, are in use.

    Raises:
        ConfigError: one is not, and strict is true; otherwise that is logged.
    """
    started = session.get_providers()
    for name in chosen:
        if name not in started:
            problem = f"{short_name(name)!r} does not start: its libraries or device are missing"
            if strict:
                raise ConfigError(f"providers: {problem}; null uses the best available")
            logger.warning("ONNX Runtime: %s; using %r", problem, short_name(started[0]))


ERROR, FATAL = 3, 4
"""Levels of ONNX Runtime's log, which goes to standard error."""

CPU_PROVIDER = "CPUExecutionProvider"

DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}


class OnnxRuntime:
    """A session of ONNX Runtime, for any number of threads at once.

    Args:
        path: of an ONNX file.
        threads: compute threads per run.
        providers: execution providers in order; None for the best available.

    Attributes:
        signature: inputs and outputs.
        properties: the file's metadata by key.
        accelerated: whether a device other than the CPU runs the model.

    Raises:
        ConfigError: a provider is unknown, or was requested and does not start.
        ModelError: ONNX Runtime cannot read the file.
    """

    def __init__(self, path: Path, threads: int, providers: str | Sequence[str] | None) -> None:
        chosen = choose_providers(providers)
        check_external_data(path)
        self._session: ort.InferenceSession = _open(path, chosen, threads)
        check_started(chosen, self._session, strict=providers is not None)
        self.signature, self.properties = _inspect(self._session)
        self.accelerated = self._session.get_providers()[0] != CPU_PROVIDER

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        """See `exported.run.Run`."""
        found: Sequence[Array] = self._session.run(outputs, inputs)
        return found


def session_options(threads: int) -> ort.SessionOptions:
    """Options of a session with that number of compute threads."""
    made = ort.SessionOptions()
    made.log_severity_level = FATAL  # a session's errors are raised as well
    made.intra_op_num_threads = threads
    # Threads that spin while they wait take time away from decoding and encoding.
    made.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return made


def _open(path: Path, providers: Sequence[str], threads: int) -> ort.InferenceSession:
    """Open an ONNX file with the providers, or with the CPU alone if they do not start.

    Raises:
        ModelError: ONNX Runtime cannot read it.
    """
    ort.set_default_logger_severity(
        ERROR
    )  # the only place that tells why a provider does not start
    try:
        # Its own fallback prints to the user's terminal.
        return ort.InferenceSession(
            str(path), session_options(threads), providers=list(providers), enable_fallback=False
        )
    except Exception as error:  # ONNX Runtime's errors have no common base class
        if len(providers) > 1:
            return _open(path, providers[-1:], threads)
        raise ModelError(
            "not a model that ONNX Runtime can read (not ONNX, cut off, or too new): "
            f"{one_line(error)}"
        ) from error


def _inspect(session: ort.InferenceSession) -> tuple[Signature, dict[str, str]]:
    """Inputs and outputs of a model, and its metadata by key.

    Raises:
        ModelError: they are not text.
    """
    try:
        inputs = {node.name: _tensor(node) for node in session.get_inputs()}
        outputs = {node.name: _tensor(node) for node in session.get_outputs()}
        properties: dict[str, str] = session.get_modelmeta().custom_metadata_map
    except UnicodeDecodeError as error:
        raise ModelError("its names or metadata are not UTF-8: damaged?") from error
    return Signature(inputs, outputs), properties


def _tensor(node: Any) -> Tensor:
    """An input or output of the graph, where dynamic sizes are names or None."""
    inner = node.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in node.shape)
    return Tensor(DTYPES.get(node.type, inner), shape)
