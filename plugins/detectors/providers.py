"""Where ONNX Runtime computes: its execution providers, by short names such as `cuda`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import onnxruntime as ort

from vidan.errors import ConfigError, did_you_mean

from . import options

PREFERRED = ("CUDA", "ROCM", "MIGraphX", "CoreML", "OpenVINO", "CPU")
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
    found = [_short(name) for name in ort.get_available_providers()]
    ranks = {name: rank for rank, name in enumerate(PREFERRED)}
    return sorted(found, key=lambda name: ranks.get(name, len(ranks)))


def _short(provider: str) -> str:
    return provider.removesuffix(_SUFFIX)


def choose_providers(wanted: str | Sequence[str] | None) -> list[str]:
    """Full names of the execution providers to use, the CPU last.

    Raises:
        ConfigError: one is unknown, or not in this build of ONNX Runtime.
    """
    here = available_providers()
    if wanted is None:
        chosen = [name for name in here if name in PREFERRED]
    else:
        chosen = [_find_provider(name, here) for name in options.names("providers", wanted)]
    accelerators = dict.fromkeys(name for name in chosen if name != "CPU")
    return [name + _SUFFIX for name in (*accelerators, "CPU")]


def _find_provider(wanted: str, here: Sequence[str]) -> str:
    for name in here:
        if _short(wanted).lower() == name.lower():
            return name
    known = [_short(name) for name in ort.get_all_providers()]
    if any(_short(wanted).lower() == name.lower() for name in known):
        raise ConfigError(
            f"detector.providers: {wanted!r} is not in this build of onnxruntime, which has "
            f"{', '.join(here)}: install the onnxruntime package made for it"
        )
    raise ConfigError(f"detector.providers: unknown {wanted!r}; {did_you_mean(wanted, known)}")


def check_started(chosen: Sequence[str], session: ort.InferenceSession, strict: bool) -> None:
    """Whether the providers that were chosen are those in use.

    Raises:
        ConfigError: one is not, and strict is true; else that is logged.
    """
    for name in chosen:
        if name not in session.get_providers():
            problem = f"{_short(name)} could not be started: its libraries or device are missing"
            if strict:
                raise ConfigError(f"detector.providers: {problem}; null uses the best there is")
            logger.warning("%s; %s computes", problem, _short(session.get_providers()[0]))
