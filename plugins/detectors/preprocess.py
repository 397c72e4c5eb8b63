"""How an image becomes the input of a model that others exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.errors import ConfigError
from vidan.modelspec import Placement, Scale, letterbox
from vidan.types import Frame, Image

Letterbox = Literal["center", "corner", "stretch"]
Channels = Literal["rgb", "bgr"]
Layout = Literal["nchw", "nhwc"]
Color = tuple[float, float, float]

BLACK: Color = (0.0, 0.0, 0.0)
WHITE: Color = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How an image becomes the input of a model.

    Attributes:
        size: height and width of the input, px; None for those of the image.
        letterbox: `center` or `corner` (top left): the aspect ratio is kept, and the rest is
            filled; `stretch`: the image fills the input.
        pad: the color of the rest, RGB from 0 to 255.
        channels: their order.
        scale: what white becomes: 1, 255, or anything above 0.
        mean: subtracted from each channel, after scaling; in the order red, green, blue.
        std: what each channel is divided by then.
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
        """The image in its place: (H,W,3) uint8 RGB."""
        if self.size is None:
            return frame.rgb(), Placement(frame.width, frame.height, 0, 0, Scale(1, 1))
        height, width = self.size
        if self.letterbox == "stretch":
            scale = Scale(width / frame.width, height / frame.height)
            return frame.resized(width, height), Placement(width, height, 0, 0, scale)
        placed = letterbox(
            frame.width, frame.height, self.size, centered=self.letterbox == "center"
        )
        image = np.empty((height, width, 3), np.uint8)
        image[:] = np.array(self.pad, np.uint8)
        rows = slice(placed.top, placed.top + placed.height)
        columns = slice(placed.left, placed.left + placed.width)
        image[rows, columns] = frame.resized(placed.width, placed.height)
        return image, placed

    def tensor(self, image: Image, dtype: str, batched: bool = True) -> npt.NDArray[Any]:
        """An image (H,W,3) uint8 RGB as the model takes it.

        Args:
            image: the image.
            dtype: the input's. Of uint8 only the channels and the layout change.
            batched: whether there is an axis for the batch, of one image.
        """
        order = [0, 1, 2] if self.channels == "rgb" else [2, 1, 0]
        nchw = self.layout == "nchw"
        out = np.empty((3, *image.shape[:2]) if nchw else image.shape, dtype)
        for place, channel in enumerate(order):
            plane = out[place] if nchw else out[..., place]
            if dtype == "uint8":
                plane[:] = image[..., channel]
                continue
            factor = np.float32(self.scale / 255 / self.std[channel])
            shift = np.float32(self.mean[channel] / self.std[channel])
            plane[:] = image[..., channel] * factor - shift
        return out[None] if batched else out

    def __str__(self) -> str:
        size = "pictures of any size" if self.size is None else "{1}x{0} px".format(*self.size)
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
            text += f", less {mean} and divided by {std}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessOverrides:
    """A detector's options for `Preprocessing`; None is what the model's kind is made with.

    `size` and `pad`, `mean` and `std` may be one number for all.
    """

    size: int | Sequence[int] | None = None
    letterbox: Letterbox | None = None
    pad: float | Sequence[float] | None = None
    channels: Channels | None = None
    scale: float | None = None
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    layout: Layout | None = None

    def given(self) -> Mapping[str, Any]:
        """The options that somebody gave, checked.

        Raises:
            ConfigError: one has a bad value.
        """
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            key: _CHECKS[key](f"detector.{key}", value)
            for key, value in found.items()
            if value is not None
        }

    def or_else(self, others: Mapping[str, Any]) -> PreprocessOverrides:
        """These, and where nobody asked, those of others that there are."""
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        return PreprocessOverrides(
            **{key: others.get(key) if value is None else value for key, value in own.items()}
        )

    def over(self, usual: Preprocessing) -> Preprocessing:
        """What is usual, where nobody asked for something else."""
        return replace(usual, **self.given())


def _size(key: str, value: Any) -> tuple[int, int]:
    found = [value] * 2 if isinstance(value, int) else value
    if not isinstance(found, Sequence) or isinstance(found, str) or len(found) != 2:
        raise options.wrong(key, value, "height and width in px, such as [640,640], or one number")
    height, width = (options.whole(key, each, 1, 2**14) for each in found)
    return height, width


def _three(key: str, value: Any, low: float, high: float) -> Color:
    found = [value] * 3 if isinstance(value, int | float) else value
    if not isinstance(found, Sequence) or isinstance(found, str) or len(found) != 3:
        raise options.wrong(key, value, "a number, or three for red, green, blue")
    red, green, blue = (options.number(key, each, low, high) for each in found)
    return red, green, blue


def _std(key: str, value: Any) -> Color:
    three = _three(key, value, 0, 1e6)
    if 0 in three:
        raise ConfigError(f"{key}={value!r}: expected numbers above 0")
    return three


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "size": _size,
    "letterbox": lambda key, value: options.choice(key, value, get_args(Letterbox)),
    "pad": lambda key, value: _three(key, value, 0, 255),
    "channels": lambda key, value: options.choice(key, value, get_args(Channels)),
    "scale": options.positive,
    "mean": lambda key, value: _three(key, value, -1e6, 1e6),
    "std": _std,
    "layout": lambda key, value: options.choice(key, value, get_args(Layout)),
}
