"""Line width and font size in images of any size."""

from __future__ import annotations

from typing import NamedTuple

REFERENCE_HEIGHT_PX = 1080
"""Height of an image in which lines and text have the sizes below."""

LINE_PX, FONT_PX = 3.0, 24.0
"""Line width and font size in an image of REFERENCE_HEIGHT_PX."""

MIN_LINE_PX, MIN_FONT_PX = 2, 11
"""Smaller lines would be invisible, and smaller text illegible."""

MIN_HEIGHT_FOR_SCORES_PX = 480
"""Height from which on an image has room for scores in its labels."""


class Style(NamedTuple):
    """Line width and font size, px, and whether an image has room for scores."""

    line: int
    font: int
    scores: bool

    @classmethod
    def of(cls, height: int, line_width: int | None = None) -> Style:
        """The style for an image of a height, px; `line_width` replaces its own."""
        scale = height / REFERENCE_HEIGHT_PX
        return cls(
            line_width or max(MIN_LINE_PX, round(LINE_PX * scale)),
            max(MIN_FONT_PX, round(FONT_PX * scale)),
            height >= MIN_HEIGHT_FOR_SCORES_PX,
        )

    @property
    def thin(self) -> int:
        """Width of the lines of what is not a track, px."""
        return max(1, self.line // 2)
