"""`sink=snapshots`: an image of each event."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import cv2
from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import APPEARED, CONFIRMED, Event
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from .drawing.options import ALL, Values
from .drawing.painter import Painter
from .errors import write_error
from .events.filter import EventFilter, Trigger
from .rotation import Names, Retention

SUFFIXES = (".jpg", ".jpeg", ".png")

PROMPT = {APPEARED, CONFIRMED}
"""Kinds that are known in the frame in which they happen."""

REACH_S = 1.5
"""How far back the kept frames reach, in stream time: crossings are known within 1 s."""

SPACING_S = 0.1
"""Stream time from one kept frame to the next: every frame would take 100 MB of 1080p video."""


class Snapshots:
    """Saves the image of each event: by default, of each new object when it is confirmed.

    An event that is known later than it happened, such as a crossing, is shown in the frame in
    which it happened, to 0.1 s, as far as it is at most 1.5 s ago, and else in the oldest frame
    that is kept. For that, frames are kept unless all events are `object.appeared` or
    `object.confirmed`; they take about 50 MB at 1080p.

    There is one image of each event, and none within `cooldown` of another with the same kind,
    rule and label: a group that walks in gives one image.

    Args:
        path: pattern of the file names, with `{time}`, `{kind}`, `{rule}`, `{label}` and `{id}`:
            see `Names`.
        events: kinds of events, or patterns such as `zone.*`.
        rules: names of lines, zones and analyzers; None for all.
        labels: labels of the objects; None for all.
        cooldown: minimum stream time between two images of the same kind, rule and label, s.
        drawing: options of the config group `drawing`; None to draw nothing.
        quality: JPEG quality, 1 to 100.
        keep: see `vidan.retention.Limits.parse`; the oldest files are deleted, including those of
            earlier runs.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: an image cannot be written, or the detector has no such label.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        events: str | Sequence[str] = (CONFIRMED,),
        rules: str | Sequence[str] | None = None,
        labels: str | Sequence[str] | None = None,
        cooldown: Annotated[float, Meta(ge=0)] = 5.0,
        drawing: Values = ALL,
        quality: Annotated[int, Meta(ge=1, le=100)] = 90,
        keep: Keep = 1000,
    ) -> None:
        self._names = Names("path", path, "time", "kind", "rule", "label", "id")
        self._suffix = Path(path).suffix.lower()
        if self._suffix not in SUFFIXES:
            raise ConfigError(f"path={path!r}: expected {' or '.join(SUFFIXES)}")
        self._filter = EventFilter(events, rules, labels)
        self._trigger = Trigger(self._filter, cooldown)
        self._reach = 0.0 if PROMPT.issuperset(self._filter.kinds) else REACH_S
        Painter.of(drawing)  # raises for invalid options
        self._drawing, self._quality = drawing, quality
        self._retention = Retention("keep", keep)
        self._events: list[Event] = []  # since the last frame
        self._kept: deque[Result] = deque()  # the newest is the last one
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
        self._names.resume_from(job)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: the images are saved with the next frame."""
        self._events.extend(events)

    def write(self, result: Result) -> None:
        """Save an image of each event that became known with this frame."""
        self._filter.check(result)
        self._keep(result)
        self._save_all()

    def close(self) -> None:
        """Save images of the events at the end of the stream; a second call does nothing."""
        try:
            self._save_all()
        finally:
            self._kept.clear()

    def _keep(self, result: Result) -> None:
        kept, now = self._kept, result.frame.time
        if len(kept) > 1 and kept[-1].frame.time - kept[-2].frame.time < SPACING_S:
            kept.pop()
        kept.append(result)
        # The others are in the future if the source's clock was set back.
        while len(kept) > 1 and not now - self._reach <= kept[0].frame.time <= now:
            kept.popleft()

    def _save_all(self) -> None:
        events, self._events = self._events, []
        for event in self._trigger.select(events) if self._kept else ():
            self._save(min(self._kept, key=lambda r: abs(r.frame.time - event.time)), event)

    def _save(self, result: Result, event: Event) -> None:
        # A new painter: the event of this image only is highlighted, at its own time.
        painter = Painter.of(self._drawing)
        rgb = painter.annotate(replace(result, events=(replace(event, data={}),)))
        settings = [] if self._suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(self._suffix, bgr, settings)[1].tobytes()
        path = self._names.of(event, result.frame.time, self._kept[-1].frame.time)
        try:
            path.write_bytes(data)
        except OSError as error:
            with suppress(OSError):  # leave no incomplete image
                path.unlink()
            raise write_error(path, error) from error
        self._retention.prune(self._names)
