"""Where ONNX Runtime computes: its execution providers, by short names such as `cuda`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import onnxruntime as ort

from vidan import options
from vidan.errors import ConfigError, did_you_mean

PREFERRED = ("cuda", "rocm", "migraphx", "coreml", "openvino", "cpu")
"""What is tried unless providers are named, best first.

TensorRT is left out because it builds for minutes at the first run, DirectML because it
cannot run one model from several threads.
"""

_SUFFIX = "ExecutionProvider"

logger = logging.getLogger(__name__)


def available_providers() -> list[str]:
    """Where ONNX Runtime can compute here, by short name, in the order that vidan tries them.

    What it would not try of itself comes last.
    """
    found = map(short_name, ort.get_available_providers())
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}
    return sorted(found, key=lambda name: ranks.get(name, len(ranks)))


def short_name(provider: str) -> str:
    """`cuda` for `CUDAExecutionProvider`; short names stay as they are, in lower case."""
    return provider.removesuffix(_SUFFIX).lower()


def choose_providers(wanted: str | Sequence[str] | None) -> list[str]:
    """Full names of the execution providers to use, the CPU last.

    Args:
        wanted: their names, short or full; None for the preferred ones that are there.

    Raises:
        ConfigError: one is unknown, or not in this build of ONNX Runtime.
    """
    here = available_providers()
    if wanted is None:
        chosen = [name for name in here if name in PREFERRED]
    else:
        chosen = [short_name(name) for name in options.names("detector.providers", wanted)]
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
            f"detector.providers: {name!r} is not in this build of onnxruntime, which has "
            f"{', '.join(here)}: install the onnxruntime package made for it"
        )
    raise ConfigError(f"detector.providers: unknown {name!r}; {did_you_mean(name, known)}")


def check_started(chosen: Sequence[str], session: ort.InferenceSession, strict: bool) -> None:
    """Whether the providers that were chosen, by full name, are those in use.

    Raises:
        ConfigError: one is not, and strict is true; else that is logged.
    """
    started = session.get_providers()
    for name in chosen:
        if name not in started:
            problem = f"{short_name(name)!r} does not start: its libraries or device are missing"
            if strict:
                raise ConfigError(f"detector.providers: {problem}; null uses the best there is")
            logger.warning("ONNX Runtime: %s; using %r", problem, short_name(started[0]))
