"""The pictures of a camera while it is plugged in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vidan.errors import SourceError
from vidan.types import Frame, Image

from .frames import ArrayFrame
from .numbering import OneSize
from .quiet import quiet_opencv

FASTEST = 1000
"""A camera that says it gives more frames per second does not know."""

AGAIN = 0.02
"""Between attempts to get a picture from a camera that gave none, s."""

STEP = 1 / 30
"""Time between pictures of a camera that does not say, s."""


class Plugged:
    """A camera while it is plugged in.

    Args:
        stream: name of the stream.
        shots: of the stream, from one plugging in to the next.
        open_: opens it; raises SourceError.
        device: as the user named it.
        timeout: longest wait for a picture, s.
        stopped: ends all waiting when it is set.
    """

    def __init__(
        self,
        stream: str,
        shots: Shots,
        open_: Callable[[], cv2.VideoCapture],
        *,
        device: int | str,
        timeout: float,
        stopped: threading.Event,
    ) -> None:
        self._stream = stream
        self._shots = shots
        self._device = device
        self._timeout = timeout
        self._stopped = stopped
        self._camera = open_()
        rate = self._camera.get(cv2.CAP_PROP_FPS)
        self._shots.resume(1 / rate if 0 < rate < FASTEST else STEP)

    def read(self) -> Frame | None:
        """The next frame; None if it is to be read no further.

        Raises:
            SourceError: for too long there was none.
        """
        deadline = time.monotonic() + self._timeout
        while not self._stopped.is_set():
            frame = self._grab()
            if frame is not None:
                return frame
            if time.monotonic() > deadline:
                raise SourceError(
                    f"camera {self._device!r} gave no picture for {self._timeout:g} s: "
                    "is it still plugged in, and does no other program use it?"
                )
            self._stopped.wait(AGAIN)
        return None

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.release()

    def _grab(self) -> Frame | None:
        """The next picture; None if none came, or a broken one."""
        with quiet_opencv():
            if not self._camera.grab():
                return None
            captured = time.monotonic()  # before the picture is unpacked, which takes its time
            index, stream_time = self._shots.next(captured)
            whole, picture = self._camera.retrieve()
        if not whole or picture is None or not picture.size:
            return None
        return ArrayFrame(
            self._shots.sized(_rgb(picture)),
            index=index,
            time=stream_time,
            captured=captured,
            stream=self._stream,
        )


class Shots:
    """Numbers the pictures of a camera and puts them in time and into one size.

    Args:
        stream: name of the stream.
    """

    def __init__(self, stream: str) -> None:
        self._size = OneSize(stream)
        self._index = -1
        self._first: float | None = None  # when the first picture came, s
        self._last = 0.0  # when the latest came, s
        self._step: float | None = None  # behind a loss only

    def resume(self, step: float) -> None:
        """It is plugged in; usually there are `step` s between two pictures."""
        self._step = step

    def next(self, captured: float) -> tuple[int, float]:
        """Index and stream time, s, of a picture that came at `captured`, s."""
        if self._first is None:
            self._first = self._last = captured
        gap = 1
        if self._step is not None:
            gap = max(1, round((captured - self._last) / self._step))
            self._step = None
        self._index += gap
        self._last = captured
        return self._index, captured - self._first

    def sized(self, rgb: Image) -> Image:
        """The picture in the size of the first."""
        height, width, _ = rgb.shape
        size = self._size.of((width, height))
        if size == (width, height):
            return rgb
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _rgb(picture: npt.NDArray[Any]) -> Image:
    grey = picture.ndim == 2 or picture.shape[2] == 1
    code = cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)
