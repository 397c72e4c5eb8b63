"""Running an exported model: its input tensors and its errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from vidan.errors import ModelError

from ..errors import one_line
from ..native.signature import Signature
from ..preprocess import Layout

Array = npt.NDArray[Any]

Run = Callable[[Mapping[str, Array], Sequence[str]], Sequence[Array]]
"""Takes inputs by name and the names of outputs, returns these outputs; from any thread."""

Labels = Mapping[int, str]
"""Labels by number, from 1 and rising; there may be gaps."""

TRIAL_SIZE = (640, 640)
"""Height and width, px, of the trial image for a model with a dynamic input size."""

IMAGE_DTYPES = ("uint8", "int32", "float16", "float32", "float64")


class ImageInput(NamedTuple):
    """The input that takes the image; None for dynamic sizes."""

    name: str
    dtype: str
    layout: Layout
    height: int | None
    width: int | None
    batched: bool


def inputs_for(signature: Signature, image: ImageInput, images: Array) -> dict[str, Array]:
    """All inputs of the model for a batch of images, or for one if there is no batch axis.

    Raises:
        ModelError: the model has an input of unknown meaning.
    """
    height, width = images.shape[-2:] if image.layout == "nchw" else images.shape[-3:-1]
    count = len(images) if image.batched else 1
    inputs = {image.name: images}
    for name, tensor in signature.inputs.items():
        if name == image.name:
            continue
        if name == "pixel_mask":  # of DETR: 1 inside the image
            shape = tensor.shape or (None, None, None)
            sizes = [own or usual for own, usual in zip(shape, (count, height, width), strict=True)]
            inputs[name] = np.ones(sizes, tensor.dtype)
        elif name == "scale_factor":  # of PaddleDetection: boxes in px of the input
            inputs[name] = np.ones((count, 2), tensor.dtype)
        elif name == "im_shape":  # the same: height and width
            inputs[name] = np.array([[height, width]] * count, tensor.dtype)
        elif name == "orig_target_sizes":  # of RT-DETR and D-FINE: width and height
            inputs[name] = np.array([[width, height]] * count, tensor.dtype)
        else:
            raise ModelError(f"unknown input {name!r} {tensor}")
    return inputs


def attempt(run: Run, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
    """Run a model.

    Raises:
        ModelError: it does not run.
    """
    try:
        return run(inputs, outputs)
    except ModelError:
        raise
    except Exception as error:  # each backend has its own
        raise ModelError(f"it does not run: {one_line(error)}") from error
