"""Types and box arithmetic shared by all decodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray
from vidan.modelspec import SCORE_TOLERANCE

from ...native.signature import Signature
from ...preprocess import Preprocessing

Outputs = Sequence[FloatArray]
"""Outputs of a network for one image, those named by an `OutputDecoding` and in its order."""

Size = tuple[int, int]
"""Height and width of the input, px."""

INTEGERS = ("uint8", "int32")
"""Types of an input that takes pixels as they are, 0 to 255."""

IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""With the normalization of ImageNet, on which many networks are pretrained."""

IMAGENET_BGR = Preprocessing(
    channels="bgr", scale=255.0, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)
"""The same as the configurations of OpenMMLab have it."""

MAX_FRACTION = 2.0
"""Largest coordinate of boxes in fractions of the input; they may reach beyond it a little."""


class Candidates(NamedTuple):
    """The boxes that a network returns for one image.

    Attributes:
        boxes: (K,4), xyxy, px of the input.
        scores: (K,C) of C classes, or (K,) of the class in `ids`; in [0,1].
        ids: (K,) the class of each box as the model numbers them; None with scores (K,C).
    """

    boxes: FloatArray
    scores: FloatArray
    ids: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known about a model before its decode is chosen.

    Attributes:
        signature: its inputs and outputs.
        image: name of the input that takes the image.
        size: height and width of the blank image that it was run with.
        outputs: its outputs for that image, by name.
        properties: its metadata.
        labels: its labels by number, from 1, those given by the user first; None if unknown.
        own_labels: those in its metadata; None if it has none.
    """

    signature: Signature
    image: str
    size: Size
    outputs: Mapping[str, npt.NDArray[Any]]
    properties: Mapping[str, str]
    labels: Mapping[int, str] | None
    own_labels: Mapping[int, str] | None = None

    @property
    def takes_integers(self) -> bool:
        """Whether its input has whole numbers: then it normalizes the values itself."""
        return self.signature.inputs[self.image].dtype in INTEGERS

    @property
    def max_label(self) -> int | None:
        """The largest number of a label; None if the labels are unknown."""
        return None if self.labels is None else max(self.labels)

    def find(self, *names: str) -> str | None:
        """The first of the names that an output has, possibly followed by TensorFlow's `:0`."""
        plain = {output.removesuffix(":0"): output for output in self.outputs}
        return next((plain[name] for name in names if name in plain), None)

    def floats(self, ndim: int) -> list[str]:
        """Names of the floating-point outputs with that number of axes."""
        return [n for n, a in self.outputs.items() if a.ndim == ndim and a.dtype.kind == "f"]

    def integers(self) -> list[str]:
        """Names of the outputs of whole numbers."""
        return [n for n, a in self.outputs.items() if a.dtype.kind in "iu"]

    def only(self, ndim: int) -> str | None:
        """The only output, if it has that number of axes and floating-point numbers."""
        found = self.floats(ndim)
        return found[0] if len(found) == len(self.outputs) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDecoding:
    """How to decode the outputs of one model.

    Attributes:
        reason: the outputs that were recognized, for people.
        outputs: names of the outputs needed.
        decode: converts these outputs to candidates; the second argument is the input size.
        preprocessing: what models of this kind usually expect, apart from size and layout.
        max_label: the largest number of a label; None if the outputs do not tell.
        first_label: number of the label, counted from 1 as in a label file, of class 0.
        suppressed: whether the graph itself contains non-maximum suppression.
        resizes: whether the graph accepts images of any size and resizes them.
        batched: whether all outputs have an axis for the batch.
        guess: what this reading assumes and the model does not tell, for people; empty if it is
            certain.
    """

    reason: str
    outputs: tuple[str, ...]
    decode: Callable[[Outputs, Size], Candidates]
    preprocessing: Preprocessing
    max_label: int | None = None
    first_label: int = 1
    suppressed: bool = False
    resizes: bool = False
    batched: bool = True
    guess: str = ""


@dataclass(frozen=True, slots=True)
class Decode:
    """A family of detectors with the same outputs.

    Attributes:
        name: as in `detector.decode`.
        expects: description of its outputs.
        match: how to decode a model; None if it is not of this family. Raises ModelError for a
            model that is almost of this family but cannot be decoded.
    """

    name: str
    expects: str
    match: Callable[[ModelInfo], OutputDecoding | None]


def corners(centered: FloatArray) -> FloatArray:
    """Boxes (K,4) cx, cy, w, h as xyxy."""
    half = centered[:, 2:] / 2
    return np.concatenate([centered[:, :2] - half, centered[:, :2] + half], axis=1)


def best_class(boxes: FloatArray, scores: FloatArray) -> Candidates:
    """Each box (K,4) with only the best of its classes, from scores (K,C)."""
    ids = scores.argmax(axis=1)
    return Candidates(boxes, scores[np.arange(len(ids)), ids], ids)


def class_ids(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Numbers of classes (K,) as integers; -1 for what is no such number."""
    valid = np.isfinite(numbers) & (np.abs(numbers) < np.iinfo(np.int32).max)
    return np.where(valid, numbers, -1).astype(np.int64)


def in_px(relative: FloatArray, size: Size) -> FloatArray:
    """Boxes (K,4) xyxy in fractions of the input, converted to px of the input."""
    height, width = size
    return relative * np.array([width, height, width, height], np.float32)


def to_px(boxes: FloatArray, size: Size) -> FloatArray:
    """Boxes (K,4) in px of the input, converted if they are in fractions of it.

    The largest number tells which: the boxes of an image never all lie within its first two px.
    """
    finite = boxes[np.isfinite(boxes)]
    relative = finite.size > 0 and np.abs(finite).max() <= MAX_FRACTION
    return in_px(boxes, size) if relative else boxes


def are_boxes(xyxy: FloatArray) -> bool:
    """Whether more than half of (K,4) have their corners in the right order."""
    return len(xyxy) > 0 and float((xyxy[:, :2] < xyxy[:, 2:]).all(axis=1).mean()) > 0.5


def are_probabilities(values: FloatArray) -> bool:
    """Whether all numbers are in [0,1], as far as rounding allows."""
    low, high = (values.min(), values.max()) if values.size else (0, 1)
    return bool(low >= -SCORE_TOLERANCE and high <= 1 + SCORE_TOLERANCE)


def swapped(yxyx: FloatArray) -> FloatArray:
    """Boxes (K,4) yxyx as xyxy."""
    return yxyx[:, [1, 0, 3, 2]]


def sigmoid(logits: FloatArray) -> FloatArray:
    """Probabilities of logits of any size, without overflow."""
    return np.asarray((np.tanh(logits * 0.5) + 1) * 0.5)


def softmax(logits: FloatArray) -> FloatArray:
    """Probabilities along the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def shape_of(name: str, array: npt.NDArray[Any]) -> str:
    """An output as text: `output0 [1,84,8400]`."""
    return f"{name} [{','.join(map(str, array.shape))}]"
