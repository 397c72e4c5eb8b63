"""Opening a camera with OpenCV and reading its images until it is unplugged."""

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

from ..images.listing import natural_key
from ..opencv_log import quiet_opencv
from ..timeline import FixedSize, FrameTimeline

log = logging.getLogger(__name__)

BACKEND = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY

SIZE_AND_RATE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)

MAX_FRAME_RATE = 1000
"""A camera that reports more frames per second does not know its rate."""

DEFAULT_FRAME_INTERVAL_S = 1 / 30
"""Assumed if a camera does not report its frame rate, s."""

RETRY_INTERVAL_S = 0.02
"""Time between attempts to read from a camera that has no image, s."""

# V4L2 waits for an image for this many seconds at a time, instead of 10, so that a stalled camera
# is noticed and a stopped run ends. OpenCV reads the variable before its first wait.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")


def open_camera(
    device: int | str,
    width: int | None = None,
    height: int | None = None,
    rate: float | None = None,
    mjpg: bool = True,
) -> cv2.VideoCapture:
    """Open a camera and request a size, px, and a rate, frames/s; log if it uses others.

    Raises:
        SourceError: it does not exist or cannot be opened; the message lists the cameras.
    """
    with quiet_opencv():
        camera = cv2.VideoCapture(device, BACKEND)
        if not camera.isOpened():
            camera.release()
            raise SourceError(f"cannot open camera {device!r}: {_reason(device)}")
        _configure(camera, device, width, height, rate, mjpg)
    return camera


def cameras() -> list[str]:
    """Paths of the cameras of this computer; only Linux has such paths."""
    return [str(path) for path in sorted(Path("/dev").glob("video*"), key=natural_key)]


def _reason(device: int | str) -> str:
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device)
    if sys.platform != "linux":
        return "is it plugged in, allowed for this program, and not in use by another?"
    if not path.exists():
        return f"there is {', '.join(cameras()) or 'no camera (/dev/video*) on this computer'}"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"no permission for {str(path)!r}: join its group (sudo usermod -aG video $USER)"
    return "is it a camera, and not in use by another program?"


def _configure(
    camera: cv2.VideoCapture,
    device: int | str,
    width: int | None,
    height: int | None,
    rate: float | None,
    mjpg: bool,
) -> None:
    """Request settings from the camera and log what it uses instead."""
    requested: dict[int, float | None] = {
        # The codec first: it determines which sizes and rates are available.
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG") if mjpg else None,
        cv2.CAP_PROP_FRAME_WIDTH: width,
        cv2.CAP_PROP_FRAME_HEIGHT: height,
        cv2.CAP_PROP_FPS: rate,
        # Images that wait in the driver only get older.
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }
    for option, value in requested.items():
        if value is not None:
            camera.set(option, value)
    actual = [camera.get(option) for option in SIZE_AND_RATE]
    wanted = [requested[option] for option in SIZE_AND_RATE]
    if any(w is not None and round(w) != round(a) for w, a in zip(wanted, actual, strict=True)):
        log.warning("camera %r uses %.0fx%.0f at %.3g frames/s instead", device, *actual)


class CameraConnection:
    """A camera from being opened to being unplugged.

    Args:
        stream: name of the stream.
        timeline: of the stream, from connection to connection.
        size: of the stream's images.
        open_: opens the camera or raises SourceError.
        device: as the user named it.
        timeout: longest wait for an image, s.
        stopped: ends all waiting when set.
    """

    def __init__(
        self,
        stream: str,
        timeline: FrameTimeline,
        size: FixedSize,
        open_: Callable[[], cv2.VideoCapture],
        *,
        device: int | str,
        timeout: float,
        stopped: threading.Event,
    ) -> None:
        self._stream = stream
        self._timeline = timeline
        self._size = size
        self._device = device
        self._timeout = timeout
        self._stopped = stopped
        self._camera = open_()
        rate = self._camera.get(cv2.CAP_PROP_FPS)
        self._frame_interval = 1 / rate if 0 < rate < MAX_FRAME_RATE else DEFAULT_FRAME_INTERVAL_S
        # Capture times, which serve as timestamps, go on across connections.
        self._timeline.resume(restarts_pts=False)

    def read(self) -> Frame | None:
        """The next frame; None once stopped.

        Raises:
            SourceError: no image arrived for too long.
        """
        deadline = time.monotonic() + self._timeout
        while not self._stopped.is_set():
            frame = self._grab()
            if frame is not None:
                return frame
            if time.monotonic() > deadline:
                raise SourceError(
                    f"no image from camera {self._device!r} for {self._timeout:g} s: "
                    "is it still plugged in, and not in use by another program?"
                )
            self._stopped.wait(RETRY_INTERVAL_S)
        return None

    def close(self) -> None:
        """Release the camera."""
        self._camera.release()

    def _grab(self) -> Frame | None:
        """The next image; None if there is none, or a broken one."""
        with quiet_opencv():
            if not self._camera.grab():
                return None
            captured = time.monotonic()  # before the image is decoded, which takes time
            index, stream_time = self._timeline.next(captured, captured, self._frame_interval)
            valid, image = self._camera.retrieve()
        if not valid or image is None or not image.size:
            return None
        return ArrayFrame(
            self._scaled(_to_rgb(image)),
            index=index,
            time=stream_time,
            captured=captured,
            stream=self._stream,
        )

    def _scaled(self, rgb: Image) -> Image:
        height, width, _ = rgb.shape
        size = self._size.target((width, height))
        if size == (width, height):
            return rgb
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _to_rgb(image: npt.NDArray[Any]) -> Image:
    gray = image.ndim == 2 or image.shape[2] == 1
    code = cv2.COLOR_GRAY2RGB if gray else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code), np.uint8)
