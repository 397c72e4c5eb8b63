"""`source=stalling`: a file that is played as a camera, which stops sending after some time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import vidan
from vidan import hookimpl
from vidan.registry.components import Registrar
from vidan.types import Frame


class Stalling:
    """A camera that stalls or fails.

    Args:
        path: of the video, which is played in a loop.
        rate: frames per second; None for all.
        delay: until the first frame, s: cameras do not all send at the same time.
        after: until no more frames come, s after the first; None for never.
        fails: whether it ends with an error then.
        stream: name of the stream; None for the name of the file.
        streams: number of streams of the run; given by the run.
    """

    live = True
    frames = None

    def __init__(
        self,
        path: str,
        rate: float | None = None,
        delay: float = 0.0,
        after: float | None = None,
        fails: bool = False,
        stream: str | None = None,
        streams: int | None = None,
    ) -> None:
        options = {"path": path, "stream": stream, "rate": rate, "streams": streams}
        self._source = vidan.create("source", "file", live=True, loop=True, **options)
        self.stream = self._source.stream
        self._delay, self._after, self._fails = delay, after, fails
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        self._stopped.wait(self._delay)
        began = time.monotonic()
        for frame in self._source:
            if self._after is not None and time.monotonic() - began >= self._after:
                if self._fails:
                    raise vidan.SourceError("the camera is gone, as the benchmark asked for")
                self._stopped.wait()
                return
            yield frame

    def stop(self) -> None:
        """See `Stoppable`."""
        self._stopped.set()
        self._source.stop()

    def close(self) -> None:
        """Close the file."""
        self._stopped.set()
        self._source.close()


@hookimpl
def vidan_components(registry: Registrar) -> None:
    """Add the source."""
    registry.add("source", "stalling", f"{__name__}:Stalling")
