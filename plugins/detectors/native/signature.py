"""Inputs and outputs of a model, and whether they are those of vidan's native format.

`vidan.modelspec` describes the format, which is the same in ONNX and in a SavedModel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from vidan.errors import ModelError
from vidan.modelspec import ModelSpec

Shape = tuple[int | None, ...]
"""Sizes of an array; None for a dynamic size."""

OUTPUTS = ("boxes", "scores", "features")
"""Outputs of the native format in order; the last is optional."""

EXPECTED = "input images uint8 [N,H,W,3] and outputs boxes float32 [N,K,4], scores float32 [N,K,C]"

MAX_BATCH_SIZE = 8
"""Largest number of images in one run of a model with a dynamic batch size."""

MAX_LABELS_SHOWN = 5


class Tensor(NamedTuple):
    """Type and shape of a model's input or output; None for a shape that is not known."""

    dtype: str
    shape: Shape | None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.dtype} of any shape"
        return f"{self.dtype} [{','.join('?' if n is None else str(n) for n in self.shape)}]"

    def fits(self, dtype: str, shape: Shape) -> bool:
        """Whether an array of that type and shape is compatible with this."""
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

    def native_outputs(self) -> list[str]:
        """The `OUTPUTS` that the model has, in that order."""
        return [name for name in OUTPUTS if name in self.outputs]

    def __str__(self) -> str:
        return f"inputs {_listed(self.inputs)} and outputs {_listed(self.outputs)}"


def _listed(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tensor}" for name, tensor in tensors.items()) or "none"


def make_spec(signature: Signature, text: str | None, labels: tuple[str, ...] | None) -> ModelSpec:
    """The spec of a model in the native format, from everything known about it.

    Args:
        signature: its inputs and outputs.
        text: its own spec as JSON. Without one, labels must be given; the size is that of the
            input, the pad value is 0, and suppression is per class.
        labels: replace its own; None for its own.

    Raises:
        ModelError: its inputs or outputs are not those of the native format, or contradict the
            spec or the labels.
    """
    check_signature(signature)
    if text is not None:
        spec = ModelSpec.from_json(text)
    elif labels is not None:
        spec = ModelSpec(labels=labels, input_size=_input_size(signature))
    else:
        raise ModelError(
            "it has no labels of its own: set detector.labels=<file>, one label per line or a "
            "label_map.pbtxt"
        )
    if labels is not None:
        spec = replace(spec, labels=labels)
    if not signature.inputs["images"].fits("uint8", (None, *spec.input_size, 3)):
        raise ModelError(
            f"its metadata has input_size={list(spec.input_size)}, but its input is "
            f"{signature.inputs['images']}: export it again"
        )
    scores = signature.outputs["scores"].shape
    check_label_count(None if scores is None else scores[2], spec.labels)
    return spec


def is_native(signature: Signature) -> bool:
    """Whether inputs and outputs are those of the native format; more outputs are ignored."""
    inputs, outputs = signature
    return (
        inputs.keys() == {"images"}
        and outputs.keys() >= {"boxes", "scores"}
        and inputs["images"].fits("uint8", (None, None, None, 3))
        and outputs["boxes"].fits("float32", (None, None, 4))
        and outputs["scores"].fits("float32", (None, None, None))
        and ("features" not in outputs or outputs["features"].fits("float32", (None, None, None)))
    )


def check_signature(signature: Signature) -> None:
    """Check that a model's inputs and outputs are those of the native format.

    Raises:
        ModelError: they are not; lists them, and what is expected.
    """
    if not is_native(signature):
        raise ModelError(f"expected {EXPECTED}, it has {signature}")


def check_label_count(classes: int | None, labels: tuple[str, ...]) -> None:
    """Check that there is one label per class; None if the number is not known yet.

    Raises:
        ModelError: there are more or fewer labels than classes.
    """
    if classes not in (None, len(labels)):
        shown = ", ".join(labels[:MAX_LABELS_SHOWN])
        more = ", …" if len(labels) > MAX_LABELS_SHOWN else ""
        raise ModelError(
            f"it has {classes} classes, but there are {len(labels)} labels ({shown}{more}): use "
            "the label file that belongs to it"
        )


def batch_size(images: Tensor) -> int:
    """Most images in one run of a model with this input: 1 or `MAX_BATCH_SIZE`.

    Raises:
        ModelError: the batch size is fixed to another number.
    """
    size = None if images.shape is None else images.shape[0]
    if size not in (None, 1):
        raise ModelError(
            f"its batch size is {size}: export it with batch size 1 or a dynamic batch size"
        )
    return size or MAX_BATCH_SIZE


def _input_size(signature: Signature) -> tuple[int, int]:
    """Height and width of the input, px."""
    shape = signature.inputs["images"].shape or (None, None, None, 3)
    if shape[1] is None or shape[2] is None:
        raise ModelError(
            "its input has a dynamic size, and no metadata tells the size it was trained with: "
            "export it with a fixed size"
        )
    return shape[1], shape[2]
