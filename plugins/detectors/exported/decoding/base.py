"""What the decodes share: what is known of a model, and what they make of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.boxes import FloatArray

from ...native.signature import Signature
from ...preprocess import Preprocessing

Outputs = Sequence[FloatArray]
"""A network's outputs for one image, those that a `OutputDecoding` names, in its order."""

Size = tuple[int, int]
"""Height and width of the input, px."""


class Candidates(NamedTuple):
    """The boxes that a network gives for one image.

    Attributes:
        boxes: (K,4), xyxy, px of the input.
        scores: (K,C) of C classes, or (K,) of the class that each box has; in [0,1].
        ids: (K,) the class of each box as the model counts them; None with scores (K,C).
    """

    boxes: FloatArray
    scores: FloatArray
    ids: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a model.

    Attributes:
        signature: its inputs and outputs.
        image: the name of the input that takes the image.
        size: height and width of the image that it was tried with.
        outputs: what it gave for an empty image, by name.
        properties: its metadata.
        labels: those known to belong to it, by number from 1; None if none are.
    """

    signature: Signature
    image: str
    size: Size
    outputs: Mapping[str, npt.NDArray[Any]]
    properties: Mapping[str, str]
    labels: Mapping[int, str] | None

    @property
    def takes_bytes(self) -> bool:
        """Whether its input is uint8: then it scales the values itself."""
        return self.signature.inputs[self.image].dtype == "uint8"

    @property
    def most(self) -> int | None:
        """The largest number that a label has; None if none are known."""
        return None if self.labels is None else max(self.labels)

    def find(self, *names: str) -> str | None:
        """The first of the names that an output has; `:0`, as TensorFlow writes it, may follow."""
        plain = {output.removesuffix(":0"): output for output in self.outputs}
        return next((plain[name] for name in names if name in plain), None)

    def floats(self, ndim: int) -> list[str]:
        """The outputs of floating-point numbers with so many axes."""
        return [n for n, a in self.outputs.items() if a.ndim == ndim and a.dtype.kind == "f"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDecoding:
    """How one model's outputs are to be read.

    Attributes:
        why: what was seen in the model, for people.
        outputs: the names of those needed.
        decode: from these to candidates; the second argument is the size of the input.
        preprocessing: how such models mostly want images; its size and layout are left open.
        most: the largest number that a label can have; None if the outputs do not tell.
        first: the number, counted from 1 as in a label file, of the model's class 0.
        suppressed: whether the model itself leaves one box for each object.
        scales: whether it scales images of any size itself.
    """

    why: str
    outputs: tuple[str, ...]
    decode: Callable[[Outputs, Size], Candidates]
    preprocessing: Preprocessing
    most: int | None = None
    first: int = 1
    suppressed: bool = False
    scales: bool = False


@dataclass(frozen=True, slots=True)
class Decode:
    """A kind of detector.

    Attributes:
        name: as in `detector.decode`.
        expects: what its outputs are, for people.
        read: how a model is to be read; None if it is not of this kind. A ModelError tells
            of one that nearly is.
    """

    name: str
    expects: str
    read: Callable[[ModelInfo], OutputDecoding | None]


def corners(centerd: FloatArray) -> FloatArray:
    """Boxes (K,4) cx, cy, w, h as xyxy."""
    half = centerd[:, 2:] / 2
    return np.concatenate([centerd[:, :2] - half, centerd[:, :2] + half], axis=1)


def best_of(boxes: FloatArray, scores: FloatArray) -> Candidates:
    """Each box (K,4) with its best class of scores (K,C) only."""
    ids = scores.argmax(axis=1)
    return Candidates(boxes, scores[np.arange(len(ids)), ids], ids)


def in_px(parts: FloatArray, size: Size) -> FloatArray:
    """Boxes (K,4) xyxy in parts of the input, in px of it."""
    height, width = size
    return parts * np.array([width, height, width, height], np.float32)


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
    """An output for people: `output0 [1,84,8400]`."""
    return f"{name} [{','.join(map(str, array.shape))}]"
