"""Frames: the images of a stream, each with its time, and views of a part of one."""

from __future__ import annotations

import functools
import threading
import time as clock
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

import numpy as np

from .images import Image, YuvPlanes, resize

Box = tuple[int, int, int, int]
"""Left, top, right, bottom of a part of an image, whole px; right and bottom are excluded."""

PIXEL_METHODS = ("resized", "resized_crop", "rgb", "yuv")
"""Methods of a frame that make pixels, which its observer is told of."""

Method = TypeVar("Method", bound=Callable[..., Any])


def _observed(method: Method) -> Method:
    """A method that runs in the context of its frame's observer, if there is one."""

    @functools.wraps(method)
    def call(self: Frame, *args: Any, **kwargs: Any) -> Any:
        if self.observer is None:
            return method(self, *args, **kwargs)
        with self.observer(self, method.__name__):
            return method(self, *args, **kwargs)

    return cast(Method, call)


class Frame(ABC):
    """One image of a stream, converted to RGB only on demand.

    A source yields `ArrayFrame`, or its own subclass over a decoder's image that implements
    `_make_rgb` and `resized`. Safe to use from several threads.

    Attributes:
        index: position in the stream, from 0; a gap means frames that were left out.
        time: stream time in s, from the source's own clock (a file's timestamps).
        captured: when the source received the image: `time.monotonic()`, s.
        stream: name of the stream.
        width: of the image as displayed, px.
        height: of the image as displayed, px.
        filename: name of the image file the frame was read from; None if there is none.
        observer: called with the frame and a name of PIXEL_METHODS when that method is called,
            which then runs in the context that the observer returns; None, except in a trace.
    """

    __slots__ = (
        "_lock",
        "_rgb",
        "captured",
        "filename",
        "height",
        "index",
        "observer",
        "stream",
        "time",
        "width",
    )

    def __init__(
        self,
        *,
        index: int,
        time: float,
        captured: float,
        stream: str,
        width: int,
        height: int,
        filename: str | None = None,
    ) -> None:
        self.index = index
        self.time = time
        self.captured = captured
        self.stream = stream
        self.width = width
        self.height = height
        self.filename = filename
        self.observer: Callable[[Frame, str], AbstractContextManager[None]] | None = None
        self._rgb: Image | None = None
        self._lock = threading.Lock()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in PIXEL_METHODS:
            if name in vars(cls):
                setattr(cls, name, _observed(vars(cls)[name]))

    @_observed
    def rgb(self) -> Image:
        """The image: (height,width,3) uint8 RGB, read-only; made once and cached."""
        with self._lock:
            if self._rgb is None:
                rgb = self._make_rgb()
                rgb.flags.writeable = False
                self._rgb = rgb
            return self._rgb

    def yuv(self) -> YuvPlanes | None:
        """The decoder's planes, not converted and not to be written to.

        None if the image is not YUV 4:2:0, or is displayed rotated or scaled: use `rgb` then.
        """
        return None

    @abstractmethod
    def _make_rgb(self) -> Image:
        """Make the image: (height,width,3) uint8 RGB, contiguous, not shared."""

    @abstractmethod
    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB, regardless of its aspect ratio."""

    @_observed
    def resized_crop(self, box: Box, width: int, height: int) -> Image:
        """The part of the image inside `box`, scaled to (height,width,3) uint8 RGB.

        A subclass over a decoder's image overrides this to convert that part alone.
        """
        left, top, right, bottom = box
        return resize(self.rgb()[top:bottom, left:right], width, height)

    @property
    def original(self) -> Frame:
        """The frame that the source yielded; this one, unless it is a view of another."""
        return self

    def crop(self, box: Box) -> Frame:
        """The part of this frame inside `box`, as a frame of its own; no pixels are made yet.

        Raises:
            ValueError: the box is empty, or reaches beyond the image.
        """
        return CroppedFrame(self, box)

    def scaled(self, width: int, height: int) -> Frame:
        """This frame at another size, px; no pixels are made yet."""
        return ScaledFrame(self, width, height)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(stream={self.stream!r}, index={self.index}, "
            f"time={self.time:.3f}, {self.width}x{self.height})"
        )


class ArrayFrame(Frame):
    """A frame over an RGB array.

    Args:
        rgb: (H,W,3) uint8 RGB. Not copied if it is contiguous: do not modify it afterwards.
        index: as in `Frame`, with time, stream and filename.
        captured: as in `Frame`; None for now.

    Raises:
        ValueError: the array has another shape or type, or no pixels.
    """

    __slots__ = ()

    def __init__(
        self,
        rgb: Image,
        *,
        index: int = 0,
        time: float = 0.0,
        captured: float | None = None,
        stream: str = "array",
        filename: str | None = None,
    ) -> None:
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
            raise ValueError(f"rgb: expected (H,W,3) uint8, got {rgb.shape} {rgb.dtype.name}")
        height, width, _ = rgb.shape
        super().__init__(
            index=index,
            time=time,
            captured=clock.monotonic() if captured is None else captured,
            stream=stream,
            width=width,
            height=height,
            filename=filename,
        )
        # A view, so that the caller's own array does not become read-only.
        self._rgb = np.ascontiguousarray(rgb).view()
        self._rgb.flags.writeable = False

    def _make_rgb(self) -> Image:
        raise AssertionError("an ArrayFrame has its image from the start")

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB: areas averaged where it shrinks."""
        return resize(self.rgb(), width, height)


def as_frame(image: Frame | Image) -> Frame:
    """A frame, or an image as one: (H,W,3) uint8 RGB.

    Raises:
        ValueError: the array has another shape or type, or no pixels.
    """
    return image if isinstance(image, Frame) else ArrayFrame(image)


class _OfSameMoment(Frame):
    """A frame whose index, time and names are those of another."""

    __slots__ = ()

    def __init__(self, frame: Frame, width: int, height: int) -> None:
        super().__init__(
            index=frame.index,
            time=frame.time,
            captured=frame.captured,
            stream=frame.stream,
            width=width,
            height=height,
            filename=frame.filename,
        )


class View(_OfSameMoment):
    """Another frame with a different image: its index, time and names are the same."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame, width: int, height: int) -> None:
        super().__init__(frame, width, height)
        self._frame = frame

    @property
    def original(self) -> Frame:
        """The frame that this is a view of."""
        return self._frame.original

    def _make_rgb(self) -> Image:
        return self.resized(self.width, self.height)


class ImagelessFrame(_OfSameMoment):
    """What is known of a frame, without its image, which is not kept in memory."""

    __slots__ = ()

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame, frame.width, frame.height)

    def _make_rgb(self) -> Image:
        raise ValueError("the image of this frame was not kept: a sink with write_delay gets none")

    def resized(self, width: int, height: int) -> Image:  # noqa: ARG002 - of Frame
        """Not possible."""
        return self.rgb()


class CroppedFrame(View):
    """A part of a frame; see `Frame.crop`."""

    __slots__ = ("_box",)

    def __init__(self, frame: Frame, box: Box) -> None:
        left, top, right, bottom = box
        if not (0 <= left < right <= frame.width and 0 <= top < bottom <= frame.height):
            raise ValueError(f"box={box}: expected a part of {frame.width}x{frame.height} px")
        super().__init__(frame, right - left, bottom - top)
        self._box = box

    def resized(self, width: int, height: int) -> Image:
        """The part scaled to (height,width,3) uint8 RGB, by the frame it is taken from."""
        return self._frame.resized_crop(self._box, width, height)

    def resized_crop(self, box: Box, width: int, height: int) -> Image:
        """A part of this part, by the frame it is taken from."""
        x, y = self._box[:2]
        left, top, right, bottom = box
        shifted = (left + x, top + y, right + x, bottom + y)
        return self._frame.resized_crop(shifted, width, height)


class ScaledFrame(View):
    """A frame at another size; see `Frame.scaled`."""

    __slots__ = ()

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB, from the original in one step."""
        return self._frame.resized(width, height)


class RetimedFrame(View):
    """A frame with another index and time, for a component with a clock of its own."""

    __slots__ = ()

    def __init__(self, frame: Frame, index: int, time: float) -> None:
        super().__init__(frame, frame.width, frame.height)
        self.index, self.time = index, time

    def rgb(self) -> Image:
        """The image of the frame, which is converted once for both."""
        return self._frame.rgb()

    def yuv(self) -> YuvPlanes | None:
        """The planes of the frame."""
        return self._frame.yuv()

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB."""
        return self._frame.resized(width, height)

    def resized_crop(self, box: Box, width: int, height: int) -> Image:
        """A part of the image scaled to (height,width,3) uint8 RGB."""
        return self._frame.resized_crop(box, width, height)
