"""Decodes of exported detectors, one module per family.

Each module has a pure function from a network's raw outputs to candidate boxes and scores, and
`match`, which recognizes a model of its family by names, shapes and metadata.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from vidan.errors import ModelError

from . import (
    centernet,
    detr,
    efficientdet,
    fastestdet,
    nanodet,
    picodet,
    rtmdet,
    ssd,
    tfod,
    yolo,
    yolo_e2e,
    yolox,
)
from .base import ModelInfo, OutputDecoding

__all__ = ["DECODES", "DecodeName", "ModelInfo", "OutputDecoding", "choose"]

DECODES = {
    each.DECODE.name: each.DECODE
    for each in (
        tfod,
        efficientdet,
        yolo,
        yolo_e2e,
        yolox,
        nanodet,
        picodet,
        rtmdet,
        fastestdet,
        detr,
        ssd,
        centernet,
    )
}
"""The families by the name that `detector.decode` has for them, the most common first."""

DecodeName = Literal[
    "auto",
    "tfod",
    "efficientdet",
    "yolo",
    "yolo-e2e",
    "yolox",
    "nanodet",
    "picodet",
    "rtmdet",
    "fastestdet",
    "detr",
    "ssd",
    "centernet",
]


def choose(info: ModelInfo, requested: DecodeName = "auto") -> tuple[str, OutputDecoding]:
    """Name of the decode for a model, and how it decodes the outputs.

    If several match, it is the first in `DECODES`, and the result says that it is a guess.

    Args:
        info: what is known about the model.
        requested: a name in `DECODES`; `auto` for one that matches.

    Raises:
        ModelError: none matches.
    """
    names = list(DECODES) if requested == "auto" else [requested]
    matches = {name: DECODES[name].match(info) for name in names}
    found = {name: decoding for name, decoding in matches.items() if decoding is not None}
    if found:
        name, decoding = next(iter(found.items()))
        others = list(found)[1:]
        if others:
            why = f"{' and '.join(others)} would fit too: detector.decode={'|'.join(others)}"
            decoding = replace(decoding, guess=why)
        return name, decoding
    if requested != "auto":
        raise ModelError(
            f"decode={requested!r} expects {DECODES[requested].expects}; the model has "
            f"{_summary(info)}"
        )
    if _is_classifier(info):
        raise ModelError(
            f"it returns one vector and no boxes, as a classifier or an embedder does: "
            f"{_summary(info)}; expected a detector"
        )
    raise ModelError(
        f"no decode matches its {_summary(info)}: tried {', '.join(DECODES)}; export it in one of "
        "their formats (docs/models.md), or write a plugin (docs/plugins.md)"
    )


def _is_classifier(info: ModelInfo) -> bool:
    """Whether the only output is a vector, such as a score for each class."""
    arrays = list(info.outputs.values())
    return len(arrays) == 1 and arrays[0].ndim <= 4 and arrays[0].size == max(arrays[0].shape[1:])


def _summary(info: ModelInfo) -> str:
    """The inputs, and the outputs with the shapes of the trial run."""
    shapes = ", ".join(
        f"{n} {a.dtype} [{','.join(map(str, a.shape))}]" for n, a in info.outputs.items()
    )
    inputs = ", ".join(f"{n} {t}" for n, t in info.signature.inputs.items())
    return f"inputs {inputs} and outputs {shapes or 'none'}"
