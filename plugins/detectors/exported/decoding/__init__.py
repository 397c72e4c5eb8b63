"""Detectors of other makers: what their outputs mean, one module for each kind.

Each has a pure function from a network's raw outputs to candidate boxes and scores, and one that
tells by names, shapes and metadata whether a model is of its kind.
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
"""By the name that `detector.decode` has for it."""

DecodeName = Literal["auto", "tfod", "efficientdet", "yolo", "yolo-e2e", "detr", "ssd"]


def choose(where: str, facts: ModelInfo, asked: DecodeName = "auto") -> tuple[str, OutputDecoding]:
    """The name of the decode for a model, and how it reads that.

    Args:
        where: the model, for errors.
        facts: what is known of it.
        asked: a name in `DECODES`; `auto` for the only one that fits.

    Raises:
        ModelError: none fits, or several do.
    """
    names = list(DECODES) if asked == "auto" else [asked]
    found: dict[str, OutputDecoding] = {}
    for name in names:
        try:
            reading = DECODES[name].read(facts)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from error
        if reading is not None:
            found[name] = reading
    if len(found) == 1:
        return next(iter(found.items()))
    if asked != "auto":
        raise ModelError(
            f"{where}: detector.decode={asked!r} expects {DECODES[asked].expects}; it has "
            f"{_seen(facts)}"
        )
    which = f"{' and '.join(found)} fit" if found else "no decode fits"
    raise ModelError(
        f"{where}: {which} its {_seen(facts)}: say detector.decode="
        f"{'|'.join(found or DECODES)}, or export it in one of their forms (docs/models.md)"
    )


def _seen(facts: ModelInfo) -> str:
    """The inputs, and the outputs as they came."""
    shapes = ", ".join(
        f"{n} {a.dtype} [{','.join(map(str, a.shape))}]" for n, a in facts.outputs.items()
    )
    inputs = ", ".join(f"{n} {t}" for n, t in facts.signature.inputs.items())
    return f"inputs {inputs} and outputs {shapes or 'none'}"
