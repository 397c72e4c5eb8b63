"""`sink=snapshots`: an image of each event."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import CONFIRMED, Event
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from .drawing.options import ALL, Values
from .errors import write_error
from .event_images import EventImages
from .events.filter import EventFilter, Trigger
from .rotation import Names, Retention

SUFFIXES = (".jpg", ".jpeg", ".png")


class Snapshots:
    """Saves the image of each event: by default, of each new object when it is confirmed.

    It is the frame in which the event happened: see `EventImages`. There is one image of each
    event, and none within `cooldown` of another with the same kind, rule and label: a group that
    walks in gives one image.

    Args:
        path: pattern of the file names, with `{time}`, `{kind}`, `{rule}`, `{label}` and `{id}`:
            see `Names`.
        events: kinds of events, or patterns such as `zone.*`.
        rules: names of lines, zones and analyzers; None for all.
        labels: labels of the objects; None for all.
        cooldown: minimum stream time between two images of the same kind, rule and label, s.
        drawing: options of the config group `drawing`; None to draw nothing.
        quality: JPEG quality, 1 to 100.
        keep: the most to keep: a total size such as `20GB`, an age such as `30d`, a number of
            files, or several: `{size: 20GB, age: 30d}`; None for all. The oldest files are
            deleted, including those of earlier runs.

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
        self._images = EventImages(self._filter.kinds, drawing, quality, self._suffix)
        self._retention = Retention("keep", keep)
        self._events: list[Event] = []  # since the last frame
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
        self._images.see(result)
        self._save_all()

    def close(self) -> None:
        """Save images of the events at the end of the stream; a second call does nothing."""
        try:
            self._save_all()
        finally:
            self._images.clear()

    def _save_all(self) -> None:
        events, self._events = self._events, []
        newest = self._images.newest
        if newest is None:
            return
        for event in self._trigger.select(events):
            self._save(event, newest)

    def _save(self, event: Event, newest: Result) -> None:
        shown, data = self._images.of(event)
        path = self._names.of(event, shown.frame.time, newest.frame.time)
        try:
            path.write_bytes(data)
        except OSError as error:
            with suppress(OSError):  # leave no incomplete image
                path.unlink()
            raise write_error(path, error) from error
        self._retention.prune(self._names)
