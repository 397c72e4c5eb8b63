"""Decodes of exported detectors, one module per family.

Each module has a pure function from a network's raw outputs to candidate boxes and scores, and
`match`, which recognizes a model of its family by names, shapes and metadata.
"""

from __future__ import annotations

from typing import Literal

from vidan.errors import ModelError

from . import detr, efficientdet, ssd, tfod, yolo, yolo_e2e
from .base import ModelInfo, OutputDecoding

__all__ = ["DECODES", "DecodeName", "ModelInfo", "OutputDecoding", "choose"]

DECODES = {
    each.DECODE.name: each.DECODE for each in (tfod, efficientdet, yolo, yolo_e2e, detr, ssd)
}
"""The families by the name that `detector.decode` has for them."""

DecodeName = Literal["auto", "tfod", "efficientdet", "yolo", "yolo-e2e", "detr", "ssd"]


def choose(info: ModelInfo, requested: DecodeName = "auto") -> tuple[str, OutputDecoding]:
    """Name of the decode for a model, and how it decodes the outputs.

    Args:
        info: what is known about the model.
        requested: a name in `DECODES`; `auto` for the only one that matches.

    Raises:
        ModelError: none matches, or several do.
    """
    names = list(DECODES) if requested == "auto" else [requested]
    matches = {name: DECODES[name].match(info) for name in names}
    found = {name: decoding for name, decoding in matches.items() if decoding is not None}
    if len(found) == 1:
        return next(iter(found.items()))
    if requested != "auto":
        raise ModelError(
            f"decode={requested!r} expects {DECODES[requested].expects}; the model has "
            f"{_summary(info)}"
        )
    which = f"{' and '.join(found)} match" if found else "no decode matches"
    raise ModelError(
        f"{which} its {_summary(info)}: set detector.decode={'|'.join(found or DECODES)}, or "
        "export it in one of their formats (docs/models.md)"
    )


def _summary(info: ModelInfo) -> str:
    """The inputs, and the outputs with the shapes of the trial run."""
    shapes = ", ".join(
        f"{n} {a.dtype} [{','.join(map(str, a.shape))}]" for n, a in info.outputs.items()
    )
    inputs = ", ".join(f"{n} {t}" for n, t in info.signature.inputs.items())
    return f"inputs {inputs} and outputs {shapes or 'none'}"
