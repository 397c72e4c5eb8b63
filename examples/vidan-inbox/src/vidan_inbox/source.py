"""Images from a folder as they arrive, for example from a camera that uploads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from msgspec import Meta

from vidan import ArrayFrame, Frame, SourceError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class Inbox:
    """Yields the images in a folder, and new ones as they arrive, in the order of their names.

    An image is complete when its size has not changed between two scans of the folder. A file that
    cannot be read as an image leaves a gap in the index.

    Args:
        path: of the folder.
        interval: time between two scans, s.
        timeout: end after this time without a new image, s; null to wait forever.

    Raises:
        SourceError: the folder does not exist.
    """

    live = False  # no image is dropped
    frames = None

    def __init__(
        self,
        path: str,
        interval: Annotated[float, Meta(gt=0)] = 0.2,
        timeout: Annotated[float, Meta(ge=0)] | None = None,
    ) -> None:
        self._folder = Path(path)
        if not self._folder.is_dir():
            raise SourceError(f"no folder {path!r}: create it, or set source.path=<folder>")
        self._interval, self._timeout = interval, timeout
        self._sizes: dict[str, int] = {}  # of files that may still grow
        self._done: set[str] = set()
        self._closed = threading.Event()
        self._index = 0

    def __iter__(self) -> Iterator[Frame]:
        """Wait for images and yield them."""
        start = last = time.monotonic()
        while not self._closed.is_set():
            ready = self._ready()
            for file in ready:
                if self._closed.is_set():
                    return
                index, self._index = self._index, self._index + 1
                rgb = _read(file)
                if rgb is not None:
                    now = time.monotonic()
                    yield ArrayFrame(
                        rgb,
                        index=index,
                        time=now - start,
                        captured=now,
                        stream=self._folder.name or "inbox",
                        filename=file.name,
                    )
            if ready or self._sizes:
                last = time.monotonic()
            elif self._timeout is not None and time.monotonic() - last >= self._timeout:
                return
            self._closed.wait(self._interval)

    def close(self) -> None:
        """End the iteration; from any thread, any number of times."""
        self._closed.set()

    def _ready(self) -> list[Path]:
        """New images that are complete, by name."""
        ready = []
        for file in sorted(self._folder.iterdir()):
            if file.name in self._done or file.suffix.lower() not in SUFFIXES:
                continue
            try:
                size = file.stat().st_size
            except OSError:  # it was removed
                self._sizes.pop(file.name, None)
                continue
            if size and self._sizes.get(file.name) == size:
                del self._sizes[file.name]
                self._done.add(file.name)
                ready.append(file)
            else:
                self._sizes[file.name] = size
        return ready


def _read(file: Path) -> np.ndarray | None:
    """The image (H, W, 3) uint8 RGB; None if it is broken or was removed."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
