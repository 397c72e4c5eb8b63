"""What runs an exported model, and how its input tensor is prepared."""

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
"""From inputs by name to the outputs of the names asked for; from any thread."""


Labels = Mapping[int, str]
"""Labels by number, from 1 and rising, gaps allowed."""


TRIED = (640, 640)
"""What a model is tried with whose input may have any size."""


DTYPES = ("uint8", "float16", "float32", "float64")


class ImageInput(NamedTuple):
    """The input that takes the image; sizes that may vary are None."""

    name: str
    dtype: str
    layout: Layout
    height: int | None
    width: int | None
    batched: bool


def inputs_for(
    where: str, signature: Signature, image: ImageInput, picture: Array
) -> dict[str, Array]:
    """All inputs for one image.

    Raises:
        ModelError: one is needed that nothing is known of.
    """
    height, width = picture.shape[-2:] if image.layout == "nchw" else picture.shape[-3:-1]
    inputs = {image.name: picture}
    for name, tensor in signature.inputs.items():
        if name == image.name:
            continue
        if name == "pixel_mask":  # of DETR: 1 where there is image
            shape = tensor.shape or (1, None, None)
            sizes = [own or usual for own, usual in zip(shape, (1, height, width), strict=True)]
            inputs[name] = np.ones(sizes, tensor.dtype)
        elif name == "orig_target_sizes":  # of RT-DETR and D-FINE: width and height
            inputs[name] = np.array([[width, height]], tensor.dtype)
        else:
            raise ModelError(f"{where}: nothing is known of its input {name!r} {tensor}")
    return inputs


def attempt(
    where: str, run: Run, inputs: Mapping[str, Array], outputs: Sequence[str]
) -> Sequence[Array]:
    """Run a model.

    Raises:
        ModelError: it does not run.
    """
    try:
        return run(inputs, outputs)
    except ModelError:
        raise
    except Exception as error:  # each backend has its own; whatever it is, the model is at fault
        raise ModelError(f"{where}: it does not run: {one_line(error)}") from error
