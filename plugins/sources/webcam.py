"""`source=webcam`: a camera of this computer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vidan import options
from vidan.errors import ConfigError, SourceError
from vidan.types import Frame, Image

from .camera import open_camera
from .frames import ArrayFrame
from .quiet import quiet_opencv

RETRY = 0.02
"""Between attempts to get a picture from a camera that gave none, s."""


class Webcam:
    """The frames of a camera, through OpenCV; live.

    Stream time is that of the clock, from 0 at the first frame. A picture that arrives
    broken leaves a gap in the index.

    Args:
        device: number of the camera, or its path such as `/dev/video2`.
        width: to ask the camera for, px; None for its own choice.
        height: to ask the camera for, px; None for its own choice.
        rate: frames per second to ask the camera for; None for its own choice.
        mjpg: ask for Motion JPEG, without which most USB cameras give 1080p at 5 frames/s.
        stream: name of the stream; None for `webcam0`, or the device's name.
        timeout: longest wait for a picture, s.

    Attributes:
        live: True.
        frames: None.
        stream: name of the stream.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: the camera is not there, cannot be opened, or (later) gives no more pictures.
    """

    live = True
    frames: int | None = None

    def __init__(
        self,
        device: int | str = 0,
        width: int | None = None,
        height: int | None = None,
        rate: float | None = None,
        mjpg: bool = True,
        stream: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        if isinstance(device, str):
            options.text("source.device", device)
        else:
            options.whole("source.device", device, 0)
        for option, value in {"width": width, "height": height, "rate": rate}.items():
            if value is not None:
                options.positive(f"source.{option}", value)
        if (width is None) != (height is None):
            raise ConfigError(
                f"source.width and source.height go together, got {width!r} and {height!r}"
            )
        options.positive("source.timeout", timeout)
        if stream is not None:
            options.text("source.stream", stream)
        self._device = device
        self._timeout = timeout
        self.stream = stream or (f"webcam{device}" if isinstance(device, int) else _name(device))
        self._index = -1
        self._first: float | None = None
        self._closed = threading.Event()
        self._reading = threading.Lock()
        self._camera: cv2.VideoCapture | None = open_camera(device, width, height, rate, mjpg)

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame

    def close(self) -> None:
        """Let go of the camera; the iteration ends. From any thread."""
        self._closed.set()
        with self._reading:
            if self._camera is not None:
                self._camera.release()
            self._camera = None

    def _next(self) -> Frame | None:
        deadline = time.monotonic() + self._timeout
        while not self._closed.is_set():
            with self._reading:
                frame = self._grab()
            if frame is not None:
                return frame
            if time.monotonic() > deadline:
                raise SourceError(
                    f"camera {self._device!r} gave no picture for {self._timeout:g} s: "
                    "is it still plugged in, and does no other program use it?"
                )
            self._closed.wait(RETRY)
        return None

    def _grab(self) -> Frame | None:
        """The next picture; None if none came, or a broken one."""
        if self._camera is None:
            return None
        with quiet_opencv():
            if not self._camera.grab():
                return None
            captured = time.monotonic()  # before the picture is unpacked, which takes its time
            self._index += 1
            whole, picture = self._camera.retrieve()
        if not whole or picture is None or not picture.size:
            return None
        if self._first is None:
            self._first = captured
        return ArrayFrame(
            _rgb(picture),
            index=self._index,
            time=captured - self._first,
            captured=captured,
            stream=self.stream,
        )


def _name(device: str) -> str:
    return Path(device).name or "webcam"


def _rgb(picture: npt.NDArray[Any]) -> Image:
    grey = picture.ndim == 2 or picture.shape[2] == 1
    code = cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)
