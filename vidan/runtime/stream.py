"""One stream: its source, tracker, analyzers and sinks, and the threads between them."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

from ..errors import StageError
from ..events import Event
from ..frames import ImagelessFrame
from ..interfaces import (
    Analyzer,
    Deferred,
    Detector,
    EventSink,
    ReportsOutages,
    SceneEditor,
    Sink,
    Source,
    StatsAware,
    Stoppable,
    StopRun,
    Tracker,
    own_labels,
)
from ..stats import Stats
from ..types import Detections, Frame, Result, Tracks
from .analysis import Analysis
from .anonymize import Anonymizer
from .channel import Channel
from .coasting import coast
from .common_scores import on_common_scale, scale_of
from .motion import MotionMeter, MotionSelector, MotionSettings, TrackerClock
from .pacing import FrameSelector
from .still_tracks import StillTracks

log = logging.getLogger(__name__)

AGE_LIMIT = 1.15
"""How old a live frame may be when its detection ends, in durations of a detection."""

MAX_PENDING_EVENTS = 1000
"""Events that wait for one sink before the stream waits for it too."""

MAX_DEFERRED = 200
"""Results without images that wait for one sink."""


class Captured(NamedTuple):
    """A frame of the source.

    Attributes:
        frame: the frame.
        timings: seconds that the source took for it, and the search for motion.
        moves: whether something moves in it, or in one that it replaces.
    """

    frame: Frame
    timings: Mapping[str, float]
    moves: bool = True


def _newer(older: Captured, newer: Captured) -> Captured:
    """The newer frame, which is also to be detected if something moved in the older one."""
    return newer._replace(moves=older.moves or newer.moves)


class Detected(NamedTuple):
    """What is known of a frame before it is tracked.

    Attributes:
        detections: None for a frame that is not detected.
        seconds: that detection took.
        still: whether it is not detected because nothing moves.
    """

    detections: Detections | None
    seconds: float = 0.0
    still: bool = False


class Job(NamedTuple):
    """A frame to detect."""

    stream: Stream
    frame: Frame
    future: Future[Detected]


class Delivery(NamedTuple):
    """What a sink is given at a time; no result where events arrive after the last frame."""

    result: Result | None
    events: tuple[Event, ...]

    def without_image(self) -> Delivery:
        """The same, without keeping the image in memory."""
        if self.result is None:
            return self
        frame = ImagelessFrame(self.result.frame)
        return self._replace(result=replace(self.result, frame=frame))


def _merge(older: Delivery, newer: Delivery) -> Delivery | None:
    """Drop the older result but none of its events, unless they are too many."""
    if len(older.events) + len(newer.events) > MAX_PENDING_EVENTS:
        return None
    return Delivery(newer.result or older.result, older.events + newer.events)


class _Outlet:
    """A sink and the channel that feeds it.

    Attributes:
        delay: how long what it is given may wait, s; if it may, it is to be given no images.
    """

    def __init__(self, sink: Sink | EventSink, buffer: int) -> None:
        self.sink = sink
        self.delay = sink.write_delay if isinstance(sink, Deferred) else 0.0
        self._write = sink.write if isinstance(sink, Sink) else None
        self._emit = sink.emit if isinstance(sink, EventSink) else None
        self.deliveries: Channel[Delivery]
        if not isinstance(sink, Sink):
            self.deliveries = Channel(MAX_PENDING_EVENTS)
        elif sink.lossless:
            self.deliveries = Channel(MAX_DEFERRED if self.delay else buffer)
        else:  # it shows the newest result, and still gets every event
            self.deliveries = Channel(1, replace=_merge)

    def put(self, delivery: Delivery) -> None:
        """Hand it to the sink's thread, unless there is nothing in it for this sink."""
        if (delivery.result and self._write) or (delivery.events and self._emit):
            self.deliveries.put(delivery)

    def __iter__(self) -> Iterator[Delivery]:
        """What it was handed, several in a row if the sink may wait for them."""
        for delivery in self.deliveries:
            yield delivery
            if self.delay:
                self.deliveries.rest(self.delay)

    def publish(self, delivery: Delivery) -> None:
        """Let the sink have it, the events first; called by the sink's thread."""
        if delivery.events and self._emit:
            self._emit(delivery.events)
        if delivery.result and self._write:
            self._write(delivery.result)


class Stream:
    """Runs one source through a tracker and analyzers into sinks; order is kept.

    Args:
        source: yields the frames.
        tracker: called by one thread, in order.
        sinks: by name, each called by a thread of its own; None for none.
        analyzers: by name, called in this order after the tracker, in its thread.
        name: prefix for threads and failures where there are several streams.
        detector: of this stream; None for that of the pipeline.
        max_frames: end after this many frames of the source; None for all.
        buffer: items that wait between two stages when nothing may be dropped.
        age_limit: for a live source, skip a frame in favor of the next one if it would be older
            than this many detections when its detection ends, 1 or more; None takes every frame
            that is there.
        detect_every: detect every n-th frame only; the tracker predicts the tracks of the
            others (see Coaster).
        motion: detect only while something moves, by these settings; None detects always. While
            nothing does, detections and tracks stay as they are.
        on_sink_error: whether a sink that fails makes the stream `stop`; with `continue`, the
            others go on as long as there is one, and the error is raised at the end.

        images: `blur` pixelates faces and heads in the frames that analyzers, sinks and loops
            over the results get; see Anonymizer.

    Attributes:
        detector: that it uses.
        stats: counts and times, live.
        analysis: calls the analyzers.
    """

    def __init__(
        self,
        source: Source,
        tracker: Tracker,
        sinks: Mapping[str, Sink | EventSink] | None = None,
        analyzers: Mapping[str, Analyzer] | None = None,
        *,
        name: str = "",
        detector: Detector | None = None,
        max_frames: int | None = None,
        buffer: int = 2,
        age_limit: float | None = AGE_LIMIT,
        detect_every: int = 1,
        motion: MotionSettings | None = None,
        on_sink_error: Literal["stop", "continue"] = "stop",
        images: Literal["original", "blur"] = "original",
    ) -> None:
        self.source = source
        self.tracker = tracker
        self.sinks = dict(sinks or {})
        self.analyzers = dict(analyzers or {})
        self.name = name
        self.detector = detector
        self.max_frames = max_frames
        self.detect_every = detect_every
        self.stats = Stats()
        if isinstance(source, ReportsOutages):
            self.stats.outages = source.outages
        self.listeners: list[Channel[Result]] = []
        for sink in self.sinks.values():
            if isinstance(sink, StatsAware):
                sink.bind_stats(self.stats)
        self._images = images
        self._buffer = buffer
        self._age_limit = age_limit
        self._stops_on_sink_error = on_sink_error == "stop"
        self._outlets = {name: _Outlet(sink, buffer) for name, sink in self.sinks.items()}
        self._defers = any(outlet.delay for outlet in self._outlets.values())
        self._sinks_left = len(self.sinks)
        self.analysis = Analysis(self.analyzers, self.sinks.values())
        for sink in self.sinks.values():
            if isinstance(sink, SceneEditor):
                sink.bind_scene(self.analysis.change_scene)
        self._failures: list[StageError] = []
        self._failing = threading.Lock()
        self._taken = 0
        self._hold: tuple[int, float] | None = None  # frames dropped so far, deadline
        self._meter = None if motion is None else MotionMeter(motion)
        self._motion = None if motion is None else MotionSelector(motion)
        self._clock = TrackerClock()
        self._still_tracks = StillTracks()
        self._last_detections = Detections.empty()
        self._last_tracks = Tracks.empty()  # of the last update
        self._in_flight: set[Future[Detected]] = set()

    def connect(
        self, detector: Detector, concurrency: int, batch: int, changed: threading.Condition
    ) -> None:
        """Make the channels to and from the detector; called once, before any thread starts.

        Args:
            detector: whose labels the results have.
            concurrency: batches that are detected at once.
            batch: frames in a batch at most.
            changed: the condition that the channels of all streams share.

        Raises:
            ConfigError: images are to be blurred, and the detector finds no people or faces.
        """
        self.detector = detector
        self._tracker = on_common_scale(self.tracker, scale_of(detector))
        self._anonymizer = (
            Anonymizer(detector.labels, own_labels(detector)) if self._images == "blur" else None
        )
        self.frames: Channel[Captured] = (
            Channel(1, replace=_newer, changed=changed)
            if self.source.live
            else Channel(max(self._buffer, batch), changed=changed)
        )
        self.pending: Channel[tuple[Captured, Future[Detected]]] = Channel(
            concurrency * batch, changed=changed
        )
        self._selector = FrameSelector(self._age_limit, concurrency * self.detect_every)

    @property
    def total(self) -> int | None:
        """How many frames the stream will have, as far as is known."""
        known = [n for n in (self.source.frames, self.max_frames) if n is not None]
        return min(known, default=None)

    @property
    def failures(self) -> tuple[StageError, ...]:
        """What has failed so far, in order."""
        return tuple(self._failures)

    def jobs(self) -> dict[str, Callable[[], None]]:
        """The loops of its threads by name."""
        prefix = f"{self.name}-" if self.name else ""
        loops: dict[str, Callable[[], None]] = {"source": self._read, "tracker": self._track}
        loops |= {f"sink-{name}": partial(self._publish, name) for name in self.sinks}
        return {prefix + name: loop for name, loop in loops.items()}

    def stop(self, *, discard: bool = False) -> None:
        """Take no more frames and finish what is under way, or `discard` it."""
        self.frames.close(discard=discard)
        if discard:
            self.pending.close(discard=True)
            for future in list(self._in_flight):
                future.cancel()
            self._close_outlets(discard=True)

    def stop_source(self) -> None:
        """Once no more frames are taken, the source need not wait for any."""
        if self.frames.closed and isinstance(self.source, Stoppable):
            self.source.stop()

    def due(self, now: float) -> float:
        """Seconds until a frame may be taken: 0 for now, infinity if there is none to take.

        Called under the condition that the channels share.
        """
        if self.frames.finished:
            self.pending.close()
        captured = self.frames.first
        if captured is None or not self.pending.has_room:
            return math.inf
        if not self.source.live:
            return 0.0
        if self._hold is None:
            delay = self._selector.delay(now)
            if not delay:
                return 0.0
            self._hold = self.frames.dropped, now + delay
        dropped, until = self._hold
        if self.frames.closed or self.frames.dropped > dropped or now >= until:
            self._hold = None
            return 0.0
        return until - now

    @property
    def finished(self) -> bool:
        """Whether no frame will have to be detected anymore."""
        return self.pending.closed

    def take(self) -> Job | None:
        """The next frame, if it is one to detect. Called like `due`, when that is 0."""
        captured = next(self.frames)
        future: Future[Detected] = Future()
        undetected = self._undetected(captured)
        self._taken += 1
        self._in_flight.add(future)
        if undetected is not None:
            future.set_result(undetected)
        self.pending.put((captured, future))
        return Job(self, captured.frame, future) if undetected is None else None

    def _undetected(self, captured: Captured) -> Detected | None:
        """Why the next frame is not detected; None if it is."""
        if self._motion is not None:
            self._motion.note(moves=captured.moves)
        if self._taken % self.detect_every:
            return Detected(None)
        if self._motion is not None and not self._motion.selects(captured.frame):
            return Detected(None, still=True)
        return None

    def fail_detection(self, job: Job, error: BaseException) -> None:
        """End the stream at a frame whose detection failed."""
        self._fail("detector", job.frame.index, error)
        self.frames.close(discard=True)
        with suppress(InvalidStateError):  # discarded
            job.future.set_exception(error)

    def lose_detector(self, frame: int | None, error: Exception) -> None:
        """End the stream because the detector does not return.

        Args:
            frame: index of the frame that it is working on; None if it is one of another stream.
            error: what to report.
        """
        if self._in_flight or not self.finished:
            self._fail("detector", frame, error)
        self.frames.close(discard=True)
        self.pending.close(discard=True)
        for future in list(self._in_flight):
            future.cancel()

    def _fail(self, stage: str, frame: int | None, cause: BaseException) -> StageError:
        error = StageError(f"{self.name}/{stage}" if self.name else stage, frame, cause)
        error.__cause__ = cause
        with self._failing:
            self._failures.append(error)
        return error

    def _read(self) -> None:
        at: int | None = None
        try:
            started = time.perf_counter()
            for frame in self.source:
                at = frame.index
                seconds = time.perf_counter() - started
                self.stats.frame_captured(frame.index, seconds)
                self._selector.arrived(frame, time.monotonic())
                if not self.frames.put(self._captured(frame, seconds)):
                    break
                self.stats.dropped = self.frames.dropped
                if self.max_frames is not None and self.stats.captured >= self.max_frames:
                    break
                started = time.perf_counter()
        except BaseException as error:
            self._fail("source", None if at is None else at + 1, error)
        self._close("source", self.source)
        self.frames.close()

    def _captured(self, frame: Frame, seconds: float) -> Captured:
        if self._meter is None:
            return Captured(frame, {"source": seconds})
        started = time.perf_counter()
        moves = self._meter.moves(frame)
        timings = {"source": seconds, "motion": time.perf_counter() - started}
        return Captured(frame, timings, moves)

    def _track(self) -> None:
        at: int | None = None
        try:
            for captured, future in self.pending:
                if not _has_result(future):
                    break
                self._in_flight.discard(future)
                at = captured.frame.index
                result = self.analysis.update(self._result(captured, future.result()))
                self.stats.frame_done(time.monotonic(), result.timings, len(result.detections))
                self._deliver(Delivery(result, result.events))
            self._finish_analyzers()
        except BaseException as error:
            analyzer = self.analysis.current
            self._fail(f"analytics.{analyzer}" if analyzer else "tracker", at, error)
        self.frames.close(discard=True)
        self.pending.close(discard=True)
        self._close_outlets()

    def _result(self, captured: Captured, detected: Detected) -> Result:
        self.analysis.current = ""
        started = time.perf_counter()
        detections, tracks = self._tracked(captured, detected)
        timings = {
            **captured.timings,
            "detector": detected.seconds,
            "tracker": time.perf_counter() - started,
        }
        labels = self.detector.labels if self.detector else ()
        result = Result(captured.frame, detections, tracks, labels, timings=timings)
        if self._anonymizer is None:
            return result
        return self._anonymizer.apply(result, self._clock.time)

    def _tracked(self, captured: Captured, detected: Detected) -> tuple[Detections, Tracks]:
        """The detections and tracks of a frame."""
        if detected.still:
            self._clock.stop(captured.frame)
            self.stats.still += 1
            return self._last_detections, self._still_tracks.tracks()
        frame, found = self._clock.follow(captured.frame), detected.detections
        if found is None:
            return Detections.empty(), coast(self._tracker, frame, self._last_tracks)
        self.stats.detected += 1
        self._selector.detected(detected.seconds)
        self._last_detections, self._last_tracks = found, self._tracker.update(frame, found)
        self._still_tracks.add(self._last_tracks, moves=captured.moves)
        return found, self._last_tracks

    def _finish_analyzers(self) -> None:
        """Deliver the events that were still pending at the end of the stream."""
        for events in self.analysis.finish():
            self._deliver(Delivery(None, events))

    def _deliver(self, delivery: Delivery) -> None:
        self.stats.events_emitted(delivery.events)
        without_image = delivery.without_image() if self._defers else delivery
        for outlet in self._outlets.values():
            outlet.put(without_image if outlet.delay else delivery)
        if delivery.result is not None:
            for listener in self.listeners:
                listener.put(delivery.result)

    def _close_outlets(self, *, discard: bool = False) -> None:
        for outlet in self._outlets.values():
            outlet.deliveries.close(discard=discard)

    def _publish(self, name: str) -> None:
        outlet = self._outlets[name]
        at: int | None = None
        try:
            for delivery in outlet:
                at = _frame_of(delivery)
                started = time.perf_counter()
                outlet.publish(delivery)
                if delivery.result is not None:
                    seconds = time.perf_counter() - started
                    age = time.monotonic() - delivery.result.frame.captured
                    self.stats.written(name, seconds, None if outlet.delay else age)
        except StopRun:
            self.stop()
        except BaseException as error:
            failure = self._fail(f"sink.{name}", at, error)
            if self._ends_with_sink():
                self.frames.close(discard=True)
                self.pending.close(discard=True)
            else:
                log.error("%s; the run continues without it", failure)
        outlet.deliveries.close(discard=True)
        self._close(f"sink.{name}", outlet.sink)

    def _ends_with_sink(self) -> bool:
        """Whether the stream ends now that one more sink has failed."""
        with self._failing:
            self._sinks_left -= 1
            last = not self._sinks_left and not self.listeners
            return self._stops_on_sink_error or last

    def _close(self, stage: str, component: Source | Sink | EventSink) -> None:
        try:
            component.close()
        except BaseException as error:
            self._fail(stage, None, error)


def _has_result(future: Future[Detected]) -> bool:
    """Whether a detection succeeded; waits for its end."""
    try:
        return future.exception() is None
    except CancelledError:
        return False


def _frame_of(delivery: Delivery) -> int | None:
    """Index of the frame that a failure names."""
    if delivery.result is not None:
        return delivery.result.frame.index
    return delivery.events[-1].frame if delivery.events else None
