"""Preparing images for the input of an exported model."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan.config.check import check
from vidan.modelspec import Placement, Scale, letterbox
from vidan.types import Frame, Image

Letterbox = Literal["center", "corner", "stretch"]
Channels = Literal["rgb", "bgr"]
Layout = Literal["nchw", "nhwc"]
Color = tuple[float, float, float]

Side = Annotated[int, Meta(ge=1, le=2**14)]
Sides = Side | Annotated[list[Side], Meta(min_length=2, max_length=2)]
"""Option: height and width, px, or one number for both."""

Level = Annotated[float, Meta(ge=0, le=255)]
Levels = Level | Annotated[list[Level], Meta(min_length=3, max_length=3)]
"""Option: red, green and blue from 0 to 255, or one number for all."""

Numbers = float | Annotated[list[float], Meta(min_length=3, max_length=3)]
"""Option: a number for red, green and blue, or one for all."""

Positive = Annotated[float, Meta(gt=0)]
Positives = Positive | Annotated[list[Positive], Meta(min_length=3, max_length=3)]
"""Option: a number above 0 for red, green and blue, or one for all."""

BLACK: Color = (0.0, 0.0, 0.0)
WHITE: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How an image becomes the input of a model.

    Attributes:
        size: height and width of the input, px; None for those of the image.
        letterbox: `center` or `corner` (top left) keep the aspect ratio and fill the rest with
            `pad`; `stretch` does not keep it.
        pad: color of the rest, RGB from 0 to 255.
        channels: their order.
        scale: the value of white: 1, 255, or anything above 0.
        mean: subtracted from red, green and blue after scaling.
        std: red, green and blue are divided by it after that.
        layout: `nchw` or `nhwc`.
    """

    size: tuple[int, int] | None = None
    letterbox: Letterbox = "stretch"
    pad: Color = (114.0, 114.0, 114.0)
    channels: Channels = "rgb"
    scale: float = 1.0
    mean: Color = BLACK
    std: Color = WHITE
    layout: Layout = "nchw"

    def place(self, frame: Frame) -> tuple[Image, Placement]:
        """The image at its place in the input: (H,W,3) uint8 RGB."""
        if self.size is None:
            return frame.rgb(), Placement(frame.width, frame.height, 0, 0, Scale(1, 1))
        height, width = self.size
        if self.letterbox == "stretch":
            scale = Scale(width / frame.width, height / frame.height)
            return frame.resized(width, height), Placement(width, height, 0, 0, scale)
        centered = self.letterbox == "center"
        placed = letterbox(frame.width, frame.height, self.size, centered=centered)
        image = np.empty((height, width, 3), np.uint8)
        image[:] = np.array(self.pad, np.uint8)
        rows = slice(placed.top, placed.top + placed.height)
        columns = slice(placed.left, placed.left + placed.width)
        image[rows, columns] = frame.resized(placed.width, placed.height)
        return image, placed

    def tensor(self, image: Image, dtype: str, batched: bool = True) -> npt.NDArray[Any]:
        """An image (H,W,3) uint8 RGB in the layout and range of the model's input.

        Args:
            image: the image.
            dtype: of the input. With whole numbers only channels and layout change.
            batched: whether to add an axis for the batch.
        """
        order = [0, 1, 2] if self.channels == "rgb" else [2, 1, 0]
        nchw, whole = self.layout == "nchw", np.dtype(dtype).kind in "ui"
        out = np.empty((3, *image.shape[:2]) if nchw else image.shape, dtype)
        for place, channel in enumerate(order):
            plane = out[place] if nchw else out[..., place]
            if whole:
                plane[:] = image[..., channel]
                continue
            factor = np.float32(self.scale / 255 / self.std[channel])
            shift = np.float32(self.mean[channel] / self.std[channel])
            plane[:] = image[..., channel] * factor - shift
        return out[None] if batched else out

    def __str__(self) -> str:
        size = "images of any size" if self.size is None else "{1}x{0} px".format(*self.size)
        if self.size is None:
            place = ""
        elif self.letterbox == "stretch":
            place = ", stretched"
        else:
            pad = ",".join(f"{value:g}" for value in dict.fromkeys(self.pad))
            place = f", letterbox ({self.letterbox}, filled with {pad})"
        text = f"{size}{place}, {self.channels.upper()}, 0 to {self.scale:g}, {self.layout.upper()}"
        if (self.mean, self.std) != (BLACK, WHITE):
            mean, std = (",".join(f"{v:g}" for v in each) for each in (self.mean, self.std))
            text += f", minus {mean}, divided by {std}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessOverrides:
    """A detector's options for `Preprocessing`; None for what is usual for the decode."""

    size: Sides | None = None
    letterbox: Letterbox | None = None
    pad: Levels | None = None
    channels: Channels | None = None
    scale: Positive | None = None
    mean: Numbers | None = None
    std: Positives | None = None
    layout: Layout | None = None

    def given(self) -> Mapping[str, Any]:
        """The options that are set, as `Preprocessing` takes them."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            key: _repeated(value, REPEATED[key]) if key in REPEATED else value
            for key, value in values.items()
            if value is not None
        }

    def or_else(self, others: Mapping[str, Any]) -> PreprocessOverrides:
        """These options, and others where these are not set.

        Raises:
            ConfigError: one of the others has a bad value.
        """
        hints = typing.get_type_hints(PreprocessOverrides, include_extras=True)
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        missing = {k: v for k, v in others.items() if k in own and own[k] is None}
        for key, value in missing.items():
            check(key, value, hints[key])
        return PreprocessOverrides(**{**own, **missing})

    def over(self, usual: Preprocessing) -> Preprocessing:
        """The usual preprocessing with these options."""
        return replace(usual, **self.given())


REPEATED = {"size": 2, "pad": 3, "mean": 3, "std": 3}
"""Options that may be one number for all, and how many numbers they stand for."""


def _repeated(value: float | Sequence[float], count: int) -> tuple[float, ...]:
    return (value,) * count if isinstance(value, int | float) else tuple(value)
