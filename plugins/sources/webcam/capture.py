"""The images of a camera while it is plugged in."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vidan.errors import SourceError
from vidan.frames import ArrayFrame
from vidan.types import Frame, Image

from ..images.listing import natural
from ..opencv_log import quiet_opencv
from ..timeline import Shots

log = logging.getLogger(__name__)


BACKEND = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY


SIZE_AND_RATE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)


# For this many seconds V4L2 waits for an image at a time, instead of 10: a camera that stops
# is noticed, and a run that is stopped ends. OpenCV reads it when it first waits.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")


def open_camera(
    device: int | str, width: int | None, height: int | None, rate: float | None, mjpg: bool
) -> cv2.VideoCapture:
    """The opened camera, asked for a size (px) and a rate (1/s); a log entry if it gives others.

    Raises:
        SourceError: it is not there or cannot be opened; says which there are.
    """
    with quiet_opencv():
        camera = cv2.VideoCapture(device, BACKEND)
        if not camera.isOpened():
            camera.release()
            raise SourceError(f"cannot open camera {device!r}: {_why(device)}")
        _configure(camera, device, width, height, rate, mjpg)
    return camera


def cameras() -> list[str]:
    """Paths of the cameras there are; only Linux has such paths."""
    return [str(path) for path in sorted(Path("/dev").glob("video*"), key=natural)]


def _why(device: int | str) -> str:
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
    if sys.platform != "linux":
        return "is it plugged in, allowed for this program, and used by no other?"
    if not path.exists():
        return f"there is {', '.join(cameras()) or 'no camera (/dev/video*) on this computer'}"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"no permission for {str(path)!r}: join its group (sudo usermod -aG video $USER)"
    return "is it a camera, and does no other program use it?"


def _configure(
    camera: cv2.VideoCapture,
    device: int | str,
    width: int | None,
    height: int | None,
    rate: float | None,
    mjpg: bool,
) -> None:
    """Ask the camera for what is wanted, and say what it gives instead."""
    wanted: dict[int, float | None] = {
        # The coding first: it decides which sizes and rates there are.
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG") if mjpg else None,
        cv2.CAP_PROP_FRAME_WIDTH: width,
        cv2.CAP_PROP_FRAME_HEIGHT: height,
        cv2.CAP_PROP_FPS: rate,
        # What waits in the driver only gets older.
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }
    for option, value in wanted.items():
        if value is not None:
            camera.set(option, value)
    given = [camera.get(option) for option in SIZE_AND_RATE]
    asked = [wanted[option] for option in SIZE_AND_RATE]
    if any(a is not None and round(a) != round(g) for a, g in zip(asked, given, strict=True)):
        log.warning("camera %r gives %.0fx%.0f at %.3g frames/s instead", device, *given)


FASTEST = 1000
"""A camera that says it gives more frames per second does not know."""


AGAIN = 0.02
"""Between attempts to get an image from a camera that gave none, s."""


STEP = 1 / 30
"""Time between images of a camera that does not say, s."""


class Plugged:
    """A camera while it is plugged in.

    Args:
        stream: name of the stream.
        shots: of the stream, from one plugging in to the next.
        open_: opens it; raises SourceError.
        device: as the user named it.
        timeout: longest wait for an image, s.
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
        """The next image; None if none came, or a broken one."""
        with quiet_opencv():
            if not self._camera.grab():
                return None
            captured = time.monotonic()  # before the image is unpacked, which takes its time
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


def _rgb(picture: npt.NDArray[Any]) -> Image:
    gray = picture.ndim == 2 or picture.shape[2] == 1
    code = cv2.COLOR_GRAY2RGB if gray else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)
