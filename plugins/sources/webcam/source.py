"""`source=webcam`: a camera of this computer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from vidan import options
from vidan.errors import ConfigError

from ..reconnect import DEFAULT_RETRY, ReconnectingSource, Retry, Session
from ..timeline import FixedSize, FrameTimeline
from .capture import CameraConnection, open_camera


class Webcam(ReconnectingSource):
    """The frames of a local camera, through OpenCV.

    Stream time is capture time, from 0 at the first frame. A broken image leaves a gap in the
    index. A camera that is unplugged is reopened once it is plugged in again; index and time
    advance by the length of the outage.

    Args:
        device: number of the camera, or its path such as `/dev/video2`; paths in
            `/dev/v4l/by-id` stay the same when a camera is plugged in again.
        width: to request, px, together with `height`; None for the camera's default.
        height: to request, px; None for the camera's default.
        rate: frames per second to request; None for the camera's default.
        mjpg: request Motion JPEG, without which most USB cameras send 1080p at 5 frames/s.
        stream: name of the stream; None for `webcam0`, or the device's name.
        timeout: longest wait for an image before the camera counts as lost, s.
        retry: when to reopen a lost camera; the arguments of `Retry` as a mapping.

    Attributes:
        live: True.
        frames: None.
        stream: name of the stream.
        outages: the outages so far.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: the camera does not exist, cannot be opened, or (later) is lost for good.
    """

    def __init__(
        self,
        device: Annotated[int, Meta(ge=0)] | str = 0,
        width: Annotated[int, Meta(ge=1)] | None = None,
        height: Annotated[int, Meta(ge=1)] | None = None,
        rate: Annotated[float, Meta(gt=0, le=1000)] | None = None,
        mjpg: bool = True,
        stream: str | None = None,
        timeout: Annotated[float, Meta(gt=0, le=86400)] = 5.0,
        retry: Mapping[str, Any] = DEFAULT_RETRY,
    ) -> None:
        if isinstance(device, str):
            options.text("device", device)
        if (width is None) != (height is None):
            raise ConfigError("width and height: set both or neither")
        if stream is not None:
            options.text("stream", stream)
        self.stream = stream or (f"webcam{device}" if isinstance(device, int) else _name(device))
        stopped = threading.Event()
        connect = partial(
            CameraConnection,
            self.stream,
            FrameTimeline(),
            FixedSize(self.stream),
            partial(open_camera, device, width, height, rate, mjpg),
            device=device,
            timeout=timeout,
            stopped=stopped,
        )
        self._session = Session(f"camera {device!r}", connect, stopped, Retry.from_option(retry))


def _name(device: str) -> str:
    return Path(device).name or "webcam"
