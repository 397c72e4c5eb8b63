"""`sink=snapshots`: one image of each new object."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import cv2
from msgspec import Meta

from vidan import options
from vidan.errors import ConfigError, SinkError, did_you_mean
from vidan.events import CONFIRMED, Event
from vidan.journal import RunJournal
from vidan.types import Result

from .drawing.painter import Painter
from .errors import write_error
from .rotation import Names, Retention

SUFFIXES = (".jpg", ".jpeg", ".png")


class Snapshots:
    """Saves the image in which an object is confirmed: see `vidan plugins show presence`.

    There is at most one image of each object, and none within `cooldown` of another with the same
    label: a group that walks in gives one image.

    Args:
        path: pattern of the file names, with `{time}`, `{label}` and `{id}`: see `Names`.
        labels: labels of the objects; None for all.
        cooldown: minimum stream time between two images of the same label, s.
        draw: whether to draw boxes, ids and labels.
        quality: JPEG quality, 1 to 100.
        keep: maximum number of images, total size, such as `1GB`, or age, such as `7d`; the
            oldest files are deleted, including those of earlier runs. None to keep all.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: an image cannot be written, or the detector has no such label.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        labels: str | Sequence[str] | None = None,
        cooldown: Annotated[float, Meta(ge=0)] = 5.0,
        draw: bool = True,
        quality: Annotated[int, Meta(ge=1, le=100)] = 90,
        keep: str | int | None = 1000,
    ) -> None:
        self._names = Names("path", path, "time", "label", "id")
        self._suffix = Path(path).suffix.lower()
        if self._suffix not in SUFFIXES:
            raise ConfigError(f"path={path!r}: expected {' or '.join(SUFFIXES)}")
        self._labels = None if labels is None else options.names("labels", labels)
        self._cooldown, self._draw, self._quality = cooldown, draw, quality
        self._retention = Retention("keep", keep)
        self._last: dict[str, float] = {}  # stream time of the last image by label
        self._labels_checked = False
        self._began: float | None = None  # Unix time of the first frame of a resumable job
        try:
            self._names.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(self._names.folder, error) from error

    @property
    def outputs(self) -> list[str]:
        """The pattern of the file names, if anything was written."""
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
            # If the source's clock was set back, the cooldown ends.
            if last <= result.frame.time < last + self._cooldown:
                continue
            self._last[label] = result.frame.time
            self._save(result, event)

    def close(self) -> None:
        """Do nothing: no file is open."""

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
            with suppress(OSError):  # leave no incomplete image
                path.unlink()
            raise write_error(path, error) from error
        self._retention.prune(self._names)

    def _check_labels(self, result: Result) -> None:
        """Check the option `labels`; those of the detector are known from the first result on."""
        if self._labels_checked or self._labels is None:
            return
        self._labels_checked = True
        for label in self._labels:
            if label not in result.labels:
                near = did_you_mean(label, result.labels)
                raise SinkError(f"labels: no label {label!r}: {near}")
