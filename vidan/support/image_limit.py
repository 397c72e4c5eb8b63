"""A limit for the pixels of an image: a file of a few MB may decode to several GB."""

from __future__ import annotations

import os

MAX_IMAGE_PIXELS = 200_000_000
"""Of an image file. As arrays, it takes 600 MB."""

VARIABLE = "OPENCV_IO_MAX_IMAGE_PIXELS"
"""Environment variable with another limit, which OpenCV reads when it is loaded."""


def set_limit() -> None:
    """Set the limit, unless the user has set one. Call it before OpenCV is imported."""
    os.environ.setdefault(VARIABLE, str(MAX_IMAGE_PIXELS))
