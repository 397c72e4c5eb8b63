"""Images from a folder as they arrive, as from a camera that uploads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from vidan import ArrayFrame, ConfigError, Frame, SourceError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class Inbox:
    """Images that are in a folder, and those that come, in the order of their names.

    An image is taken when its size has not changed between two looks: then it was written to
    its end. What cannot be read by then leaves a gap in the index.

    Args:
        path: of the folder.
        every: how long between two looks, s.
        patience: end when nothing came for so long, s; null to wait for ever.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: there is no such folder.
    """

    live = False  # an image that waits is not stale
    frames = None

    def __init__(self, path: str, every: float = 0.2, patience: float | None = None) -> None:
        if every <= 0 or (patience is not None and patience < 0):
            raise ConfigError("source: expected every > 0 and patience >= 0")
        self._folder = Path(path)
        if not self._folder.is_dir():
            raise SourceError(f"no folder {path!r}: make it, or say source.path=<folder>")
        self._every, self._patience = every, patience
        self._sizes: dict[str, int] = {}  # of those that may still grow
        self._done: set[str] = set()
        self._closed = threading.Event()
        self._index = 0

    def __iter__(self) -> Iterator[Frame]:
        """Wait for images and give them out."""
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
            elif self._patience is not None and time.monotonic() - last >= self._patience:
                return
            self._closed.wait(self._every)

    def close(self) -> None:
        """End the waiting; may come from another thread, and twice."""
        self._closed.set()

    def _ready(self) -> list[Path]:
        """New images that have stopped growing, by name."""
        ready = []
        for file in sorted(self._folder.iterdir()):
            if file.name in self._done or file.suffix.lower() not in SUFFIXES:
                continue
            try:
                size = file.stat().st_size
            except OSError:  # it was taken away again
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
    """The image (H,W,3) uint8 RGB; None if it is broken or gone."""
    try:
        data = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError:
        return None
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
