"""Opening a camera through OpenCV, and saying why it cannot be opened."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import cv2

from vidan.errors import SourceError

from .quiet import quiet_opencv
from .sequence import natural

log = logging.getLogger(__name__)

BACKEND = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY

SIZE_AND_RATE = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)

# For this many seconds V4L2 waits for a picture at a time, instead of 10: a camera that stops
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
