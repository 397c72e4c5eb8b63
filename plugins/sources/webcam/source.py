"""`source=webcam`: a camera of this computer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from vidan import options
from vidan.errors import ConfigError
from vidan.outages import Outages

from ..reconnect import FOR_EVER, Retry, Session, SessionSource
from ..timeline import Shots
from .capture import Plugged, open_camera


class Webcam(SessionSource):
    """The frames of a camera, through OpenCV; live.

    Stream time is that of the clock, from 0 at the first frame. An image that arrives
    broken leaves a gap in the index. A camera that is unplugged is looked for until it is
    plugged in again; index and time go on by as long as it was away.

    Args:
        device: number of the camera, or its path such as `/dev/video2`; the paths in
            `/dev/v4l/by-id` are the same after it was plugged in again.
        width: to ask the camera for, px; None for its own choice.
        height: to ask the camera for, px; None for its own choice.
        rate: frames per second to ask the camera for; None for its own choice.
        mjpg: ask for Motion JPEG, without which most USB cameras give 1080p at 5 frames/s.
        stream: name of the stream; None for `webcam0`, or the device's name.
        timeout: longest wait for an image before the camera counts as lost, s.
        retry: `max` tries after a loss, None for as many as it takes, with waits of up to
            `first` s, doubled from try to try, up to `longest` s.

    Attributes:
        live: True.
        frames: None.
        stream: name of the stream.
        outages: the losses so far.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: the camera is not there, cannot be opened, or (later) is lost for good.
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
        retry: Mapping[str, Any] = FOR_EVER,
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
        self.stream = stream or (f"webcam{device}" if isinstance(device, int) else _name(device))
        self._stopped = threading.Event()
        plug_in = partial(
            Plugged,
            self.stream,
            Shots(self.stream),
            partial(open_camera, device, width, height, rate, mjpg),
            device=device,
            timeout=timeout,
            stopped=self._stopped,
        )
        self._session = Session(f"camera {device!r}", plug_in, self._stopped, Retry.of(retry))

    @property
    def outages(self) -> Outages:
        """The losses so far."""
        return self._session.outages


def _name(device: str) -> str:
    return Path(device).name or "webcam"
