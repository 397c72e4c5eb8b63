"""Whether a model has the inputs and outputs of vidan's native format: see `vidan.modelspec`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from vidan.errors import ModelError
from vidan.modelspec import ModelSpec

from ..errors import naming

Shape = tuple[int | None, ...]
"""Sizes of an array; None is one that may vary."""

OUTPUTS = ("boxes", "scores", "features")
"""In this order; the last only where a model has it."""

EXPECTED = "input images uint8 [N,H,W,3] and outputs boxes float32 [N,K,4], scores float32 [N,K,C]"


class Tensor(NamedTuple):
    """Type and shape of a model's input or output; the shape is None if it may have any."""

    dtype: str
    shape: Shape | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype} of any shape"
        return f"{self.dtype} [{','.join('?' if n is None else str(n) for n in self.shape)}]"

    def fits(self, dtype: str, shape: Shape) -> bool:
        """Whether an array of that type and shape can be one of these."""
        if self.dtype != dtype or self.shape is None:
            return self.dtype == dtype
        return len(self.shape) == len(shape) and all(
            None in (own, other) or own == other
            for own, other in zip(self.shape, shape, strict=True)
        )


class Signature(NamedTuple):
    """A model's inputs and outputs by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    def wanted(self) -> list[str]:
        """Those of `OUTPUTS` that the model has, in that order."""
        return [name for name in OUTPUTS if name in self.outputs]

    def __str__(self) -> str:
        return f"inputs {_listed(self.inputs)} and outputs {_listed(self.outputs)}"


def _listed(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tensor}" for name, tensor in tensors.items()) or "none"


def describe(
    where: str, signature: Signature, text: str | None, labels: tuple[str, ...] | None
) -> ModelSpec:
    """How a model of vidan's own form is to be used, from all that is known of it.

    Args:
        where: the model, for errors.
        signature: its inputs and outputs.
        text: its own metadata as JSON. Without any, labels must be given, the size is that
            of the input, the pad is 0, and classes do not exclude each other.
        labels: to be used instead of its own; None for its own.

    Raises:
        ModelError: it has other inputs or outputs, or these, its metadata and the labels
            contradict each other.
    """
    check_signature(where, signature)
    if text is not None:
        with naming(where):
            metadata = ModelSpec.from_json(text)
    elif labels is not None:
        metadata = ModelSpec(labels=labels, input_size=_input_size(where, signature))
    else:
        raise ModelError(
            f"{where}: it does not say what its classes are: give detector.labels=<file>, "
            "one label a line or a label_map.pbtxt"
        )
    if labels is not None:
        metadata = replace(metadata, labels=labels)
    if not signature.inputs["images"].fits("uint8", (None, *metadata.input_size, 3)):
        raise ModelError(
            f"{where}: its metadata says input_size={list(metadata.input_size)}, its input is "
            f"{signature.inputs['images']}: export it again"
        )
    scores = signature.outputs["scores"].shape
    check_label_count(where, None if scores is None else scores[2], metadata.labels)
    return metadata


def is_own_form(signature: Signature) -> bool:
    """Whether inputs and outputs are those of vidan's own form; more outputs do no harm."""
    inputs, outputs = signature
    return (
        inputs.keys() == {"images"}
        and outputs.keys() >= {"boxes", "scores"}
        and inputs["images"].fits("uint8", (None, None, None, 3))
        and outputs["boxes"].fits("float32", (None, None, 4))
        and outputs["scores"].fits("float32", (None, None, None))
        and ("features" not in outputs or outputs["features"].fits("float32", (None, None, None)))
    )


def check_signature(where: str, signature: Signature) -> None:
    """Hold a model's inputs and outputs against vidan's own form.

    Raises:
        ModelError: they are others; says which, and what is expected.
    """
    if not is_own_form(signature):
        raise ModelError(f"{where}: expected {EXPECTED}, it has {signature}")


def check_label_count(where: str, classes: int | None, labels: tuple[str, ...]) -> None:
    """Hold the labels against the number of classes; None if that is not known yet.

    Raises:
        ModelError: there are more or fewer labels than classes.
    """
    if classes not in (None, len(labels)):
        raise ModelError(
            f"{where}: it has {classes} classes, and there are {len(labels)} labels "
            f"({_shortened(labels)}): give the label file that belongs to it"
        )


def check_batch(where: str, images: Tensor) -> int | None:
    """How many images a model takes at once: 1, or None for any number.

    Raises:
        ModelError: another number.
    """
    size = None if images.shape is None else images.shape[0]
    if size not in (None, 1):
        raise ModelError(
            f"{where}: it takes {size} pictures at once: export it for 1 or any number"
        )
    return size


def _input_size(where: str, signature: Signature) -> tuple[int, int]:
    """Height and width of the input, px."""
    shape = signature.inputs["images"].shape or (None, None, None, 3)
    if shape[1] is None or shape[2] is None:
        raise ModelError(
            f"{where}: its input may have any size, and no metadata says which one it was "
            "trained for: export it with a fixed size"
        )
    return shape[1], shape[2]


def _shortened(labels: tuple[str, ...], most: int = 5) -> str:
    return ", ".join(labels[:most]) + (", …" if len(labels) > most else "")
