"""Frames whose images are not known, only the boxes in them."""

from __future__ import annotations

from typing import ClassVar, Self

from vidan.errors import SourceError
from vidan.types import Frame, Image


class ImagelessFrame(Frame):
    """A frame without an image.

    Attributes:
        advice: what to do if a component needs the image, for the error.
    """

    __slots__ = ()

    advice: ClassVar[str] = "choose components that need none"

    @classmethod
    def numbered(cls, index: int, rate: float, stream: str, size: tuple[int, int]) -> Self:
        """A frame of a sequence.

        Args:
            index: from 0.
            rate: frames per second.
            stream: name of the sequence.
            size: width and height of the images, px.
        """
        width, height = size
        return cls(
            index=index,
            time=index / rate,
            captured=0.0,
            stream=stream,
            width=width,
            height=height,
        )

    def _make_rgb(self) -> Image:
        return self.resized(self.width, self.height)

    def resized(self, width: int, height: int) -> Image:  # noqa: ARG002 - as in Frame
        """There is no image.

        Raises:
            SourceError: always; the message says how to avoid it.
        """
        raise SourceError(f"{self.stream!r} has no images: {self.advice}")
