"""`sink=clips`: a video clip of each event."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import av.error
from msgspec import Meta

from vidan.errors import ConfigError
from vidan.events import CROSSED, LOITERING, Event
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Frame, Result

from ..drawing.options import ALL, Values
from ..drawing.painter import Painter
from ..errors import check_time, write_error
from ..events.filter import EventFilter, Trigger
from ..rotation import Names, Retention
from ..video.codec import Codec, Preset, check_available
from ..video.encoder import open_encoder
from ..video.recording import check_writable
from ..video.segments import CLOCK_RESET_S
from ..video.yuv_frame import YuvFrame
from .clip import SIDECAR, Clip
from .ring import KEY_FRAME_INTERVAL_S, PacketRing

log = logging.getLogger(__name__)

Seconds = Annotated[float, Meta(ge=0, le=600)]


class Clips:
    """Saves a video from some seconds before each event until some seconds after it.

    All frames are encoded once, and the packets of the latest seconds are kept in memory: 1 to
    2 MB per second of 1080p video. A clip is made of these packets, without encoding them again.
    It starts at a key frame, within 1 s of what `before` requires, or with the stream.

    An event that happens while the clip of another is being written extends that clip, up to
    `max_length`. Each clip has a file with the same name and the suffix `.json`:
    `{"file", "start", "end", "events"}` with the stream times of its first and last frame, s, and
    the events that it shows as in `events.jsonl`.

    As an event may be known later than it happened, a clip can still be extended for `max_delay`
    after its end, and is finished then. An event that is known even later, and is no longer in
    memory, has no clip; a warning tells how many there are.

    During the run a clip is a fragmented MP4, which can be played even if the process is killed.

    Args:
        path: pattern of the file names, with `{time}`, `{kind}`, `{rule}`, `{label}` and `{id}` of
            the first event: see `Names`.
        events: kinds of events, or patterns such as `zone.*`.
        rules: names of lines, zones and analyzers; None for all.
        labels: labels of the objects; None for all.
        before: stream time before an event, s.
        after: stream time after an event, s.
        cooldown: minimum stream time between two events of the same kind, rule and label that
            start or extend a clip, s.
        max_length: stream time after which a clip is not extended, s.
        max_delay: longest time between an event and the frame with which it becomes known, s. The
            end of a visit, for example, is known when the object has been gone for a while.
        drawing: options of the config group `drawing`; None to draw nothing.
        preset: x264 preset; slower presets make smaller files.
        crf: quality, from 0 (lossless) to 51.
        encoder: encoder of FFmpeg, or `auto` for any hardware encoder; x264 where that is not
            available.
        threads: number of encoder threads; 0 for one per processor.
        keep: the most to keep: a total size such as `20GB`, an age such as `30d`, a number of
            files, or several: `{size: 20GB, age: 30d}`; None for all. The oldest files are
            deleted, including those of earlier runs.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: a clip cannot be written, or the detector has no such label.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        events: str | Sequence[str] = (CROSSED, LOITERING),
        rules: str | Sequence[str] | None = None,
        labels: str | Sequence[str] | None = None,
        before: Seconds = 5.0,
        after: Seconds = 5.0,
        cooldown: Annotated[float, Meta(ge=0)] = 0.0,
        max_length: Annotated[float, Meta(gt=0)] = 300.0,
        max_delay: Seconds = 10.0,
        drawing: Values = ALL,
        preset: Preset = "superfast",
        crf: Annotated[int, Meta(ge=0, le=51)] = 23,
        encoder: Codec | Literal["auto"] = "libx264",
        threads: Annotated[int, Meta(ge=0)] = 0,
        keep: Keep = 1000,
    ) -> None:
        check_available()
        self._names = Names("path", path, "time", "kind", "rule", "label", "id", sidecar=SIDECAR)
        if not path.lower().endswith(".mp4"):
            raise ConfigError(f"path={path!r}: expected .mp4")
        if before + after > max_length:
            raise ConfigError(
                f"max_length={max_length!r}: expected at least before + after, {before + after:g} s"
            )
        self._filter = EventFilter(events, rules, labels)
        self._trigger = Trigger(self._filter, cooldown)
        self._before, self._after = before, after
        self._max_length, self._max_delay = max_length, max_delay
        self._retention = Retention("keep", keep)
        self._painter = Painter.of(drawing)
        self._open_encoder = partial(
            open_encoder, codec=encoder, preset=preset, crf=crf, threads=threads
        )
        self._ring: PacketRing | None = None
        self._clips: list[Clip] = []  # that are not finished, the oldest first
        self._events: list[Event] = []  # since the last frame
        self._last: Frame | None = None
        self._missed = 0
        check_writable(Path(str(self._names)))

    @property
    def outputs(self) -> list[str]:
        """The pattern of the file names, if anything was written."""
        return [str(self._names)] if self._names.files() else []

    def resume_from(self, job: RunJournal) -> None:
        """See Resumable."""
        self._names.resume_from(job)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: the clips are started or extended with the next frame."""
        self._events.extend(events)

    def write(self, result: Result) -> None:
        """Encode one frame, and write the clips that it belongs to."""
        frame = result.frame
        check_time(frame)
        self._filter.check(result)
        if self._last is not None and _is_discontinuous(self._last, frame):
            self._start_anew(self._last)
        self._last = frame
        ring = self._encode(result)
        self._start_clips()
        self._feed(ring, frame.time - self._max_delay)
        ring.prune(frame.time)

    def close(self) -> None:
        """Write the events at the end of the stream, and finish all clips."""
        self._finish_stream()
        if self._missed:
            log.warning(
                "%d events became known too late for a clip: set max_delay to more than %g s",
                *(self._missed, self._max_delay),
            )
            self._missed = 0

    def _encode(self, result: Result) -> PacketRing:
        frame = result.frame
        image = YuvFrame(frame, None if self._ring is None else self._ring.encoder.colors)
        self._painter.draw_on(image.planes, result)
        try:
            if self._ring is None:
                encoder = self._open_encoder(image, frame.time)
                self._ring = PacketRing(encoder, self._before + self._max_delay)
            self._ring.add(image, frame.time)
        except (OSError, av.error.FFmpegError) as error:
            raise write_error(self._names.folder, error) from error
        return self._ring

    def _start_clips(self) -> None:
        """Start or extend a clip for each event since the last frame."""
        events, self._events = self._events, []
        if self._ring is None or self._last is None:
            return
        for event in self._trigger.select(events):
            start, end = event.time - self._before, event.time + self._after
            clip = next((c for c in self._clips if self._can_extend(c, start, end)), None)
            if clip is not None:
                clip.add(event, end)
            elif event.time < self._ring.oldest:
                self._missed += 1
            else:
                name = partial(self._names.of, event, event.time, self._last.time)
                self._clips.append(Clip(name, event, start, end))

    def _can_extend(self, clip: Clip, start: float, end: float) -> bool:
        """Whether a clip can be extended to show everything from `start` to `end`, s.

        What happened before the first event of a clip may become known after it.
        """
        return (
            clip.start - KEY_FRAME_INTERVAL_S <= start <= clip.end
            and end <= clip.start + self._max_length
        )

    def _feed(self, ring: PacketRing, final: float) -> None:
        """Write the clips, and finish those that end before `final`, in stream time."""
        for clip in self._clips:
            clip.feed(ring)
        finished = [clip for clip in self._clips if clip.end < final]
        self._clips = [clip for clip in self._clips if clip.end >= final]
        with ExitStack() as stack:
            for clip in finished:
                stack.callback(clip.finish)
        if finished:
            self._retention.prune(self._names, [c.path for c in self._clips if c.path])

    def _finish_stream(self) -> None:
        """Finish all clips; the next frame is the first of another stream."""
        if self._ring is None:
            return
        self._start_clips()
        ring, self._ring = self._ring, None
        try:
            ring.finish()
        finally:
            self._feed(ring, math.inf)

    def _start_anew(self, last: Frame) -> None:
        """Let the clips end with the last frame; events that they cannot show come after it."""
        oldest = math.inf if self._ring is None else self._ring.oldest
        events = self._events
        self._events = [event for event in events if oldest <= event.time <= last.time]
        self._finish_stream()
        self._events = [event for event in events if not oldest <= event.time <= last.time]


def _is_discontinuous(last: Frame, frame: Frame) -> bool:
    """Whether the size changes or the clock of the source was set back, as no video can show."""
    size_changes = (last.width, last.height) != (frame.width, frame.height)
    return size_changes or frame.time < last.time - CLOCK_RESET_S
