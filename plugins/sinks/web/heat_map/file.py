"""Reads the arrays that the analyzer `heatmap` writes."""

from __future__ import annotations

import io
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....formats.heatmap import Grid, overlay_png, top_of

WIDTH_PX = 320
"""Width of the overlay; browsers smooth it when they scale it up."""


CLOCK_S = 2.0
"""By how much the clock of a file system may be behind, s."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The content of a file.

    Attributes:
        version: another one for each content.
        presence: time of objects in each cell, s, by label.
        size: width and height of the images, px.
        seconds: duration of the stream so far.
        still: JPEG of the scene; empty for none.
    """

    version: str
    presence: dict[str, Grid]
    size: tuple[int, int]
    seconds: float
    still: bytes

    def about(self, label: str | None) -> dict[str, Any]:
        """What a legend needs, ready for JSON.

        Args:
            label: whose map is meant; None for that of all objects.
        """
        grid = self._grid(label)
        return {
            "version": self.version,
            "labels": list(self.presence),
            "seconds": round(self.seconds, 3),
            "top": round(top_of(grid), 3) if grid.any() else 0,
            "still": bool(self.still),
        }

    def overlay(self, label: str | None) -> bytes:
        """A PNG file to show over the image, transparent where no object was."""
        width, height = self.size
        return overlay_png(self._grid(label), WIDTH_PX, max(1, round(WIDTH_PX * height / width)))

    def _grid(self, label: str | None) -> Grid:
        chosen = [grid for name, grid in self.presence.items() if label in (None, name)]
        return np.asarray(sum(chosen)) if chosen else np.zeros((1, 1))


class HeatMapFile:
    """The file of a run, read again when it has changed; thread-safe.

    Args:
        path: without its suffix, as the analyzer takes it.
        since: s since 1970; a file that is older is that of an earlier run.
    """

    def __init__(self, path: Path, since: float = 0.0) -> None:
        self._path, self._since = path.with_name(f"{path.name}.npz"), since - CLOCK_S
        self._lock = threading.Lock()
        self._read: HeatMap | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self._version() is not None

    def read(self) -> HeatMap | None:
        """The newest content; None if there is none, or it is not from the analyzer."""
        version = self._version()
        if version is None:
            return None
        with self._lock:
            if self._read is None or self._read.version != version:
                self._read = _read(self._path, version)
            return self._read

    def _version(self) -> str | None:
        try:
            changed = self._path.stat()
        except OSError:
            return None
        return str(changed.st_mtime_ns) if changed.st_mtime >= self._since else None


def _read(path: Path, version: str) -> HeatMap | None:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            grids = np.asarray(arrays["presence"], np.float64)
            width, height = (int(px) for px in arrays["size"])
            still = arrays["still"].tobytes() if "still" in arrays else b""
            presence = dict(zip(arrays["labels"].tolist(), grids, strict=True))
            seconds = float(arrays["seconds"])
    except (EOFError, OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return None
    if grids.ndim != 3 or min(width, height) < 1 or not np.isfinite(grids).all():
        return None
    return HeatMap(version, presence, (width, height), seconds, still)
