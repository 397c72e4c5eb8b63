"""Results as images: one of each new object."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2

from vidan import options
from vidan.errors import ConfigError, SinkError, did_you_mean
from vidan.events import CONFIRMED, Event
from vidan.journal import RunJournal
from vidan.types import Result

from .drawing.painter import Painter
from .rotation import Names, Retention

SUFFIXES = (".jpg", ".jpeg", ".png")


class Snapshots:
    """Saves the image in which an object is confirmed: see `vidan plugins show presence`.

    Each object has one image at most, and none if its label had one less than `cooldown` before:
    a group that walks in gives one image.

    Args:
        path: the pattern of the files' names, with `{time}`, `{label}` and `{id}`: see `Names`.
        labels: of the objects; None for all.
        cooldown: shortest time between two images of objects of one label, s of stream time.
        draw: whether boxes, identities and labels are drawn.
        quality: of JPEG, 1 to 100.
        keep: how many images, `1GB` or `7d` of them; the oldest of these names are deleted,
            also those of runs before. None for all.

    Raises:
        ConfigError: an option has a bad value.
        SinkError: an image cannot be written, or the detector has no such label.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        labels: str | Sequence[str] | None = None,
        cooldown: float = 5.0,
        draw: bool = True,
        quality: int = 90,
        keep: str | int | None = 1000,
    ) -> None:
        self._names = Names("sink.snapshots.path", path, "time", "label", "id")
        self._suffix = Path(path).suffix.lower()
        if self._suffix not in SUFFIXES:
            raise ConfigError(f"sink.snapshots.path={path!r}: expected {' or '.join(SUFFIXES)}")
        self._labels = None if labels is None else options.names("sink.snapshots.labels", labels)
        self._cooldown = options.number("sink.snapshots.cooldown", cooldown, 0.0)
        self._draw = options.boolean("sink.snapshots.draw", draw)
        self._quality = options.whole("sink.snapshots.quality", quality, 1, 100)
        self._keep = Retention("sink.snapshots.keep", keep)
        self._last: dict[str, float] = {}  # stream time of the last image by label
        self._checked = False
        self._began: float | None = None  # of a job that may be done again, s since 1970
        try:
            self._names.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _failed(self._names.folder, error) from error

    @property
    def outputs(self) -> list[str]:
        """The pattern of the files' names, if there are any."""
        return [str(self._names)] if self._names.files() else []

    def resume_from(self, job: RunJournal) -> None:
        """See Resumable."""
        self._began = job.began
        self._names.resume_from(job)

    def write(self, result: Result) -> None:
        """Save an image of each object that is confirmed in this frame."""
        self._check_labels(result)
        for event in result.events:
            label = event.label or ""
            if event.kind != CONFIRMED or (self._labels is not None and label not in self._labels):
                continue
            last = self._last.get(label, -math.inf)
            # A clock that was set back does not keep us waiting.
            if last <= result.frame.time < last + self._cooldown:
                continue
            self._last[label] = result.frame.time
            self._save(result, event)

    def close(self) -> None:
        """Nothing is open."""

    def _save(self, result: Result, event: Event) -> None:
        rgb = Painter().annotate(result) if self._draw else result.frame.rgb()
        settings = [] if self._suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(self._suffix, bgr, settings)[1].tobytes()
        when = time.time() if self._began is None else self._began + result.frame.time
        path = self._names.new(when, label=event.label or "", id=str(event.track))
        try:
            path.write_bytes(data)
        except OSError as error:
            with suppress(OSError):  # half an image is none
                path.unlink()
            raise _failed(path, error) from error
        self._keep.prune(self._names)

    def _check_labels(self, result: Result) -> None:
        """What labels there are is known with the first result."""
        if self._checked or self._labels is None:
            return
        self._checked = True
        for label in self._labels:
            if label not in result.labels:
                near = did_you_mean(label, result.labels)
                raise SinkError(f"sink.snapshots.labels: no label {label!r}: {near}")


def _failed(path: Path, error: OSError) -> SinkError:
    advice = "make room or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {error.strerror or error}; {advice}")
