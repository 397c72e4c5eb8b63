"""The frame loop: threads, order, dropping, shutdown and failure.

     source ──frames──► detector ──pending──► tracker ──results──► sinks
     one thread         worker pool           one thread           one thread each

Frames are dropped in one place only, before detection, and only of a live source:
its channel holds one frame and replaces it by a newer one. Elsewhere a full channel
makes the writer wait. A channel that is closed ends its writer at the next `put` and
its reader after what is left in it: that is how the end, a stop and a failure travel.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial

from ..errors import StageError
from ..interfaces import Detector, Sink, Source, StatsAware, StopRun, Tracker
from ..stats import Stats
from ..types import Detections, Frame, Result, Tracks
from .channel import Channel
from .coasting import coast
from .pacing import FrameSelector

log = logging.getLogger(__name__)

POLL = 0.1
"""How often the waiting thread looks up, for progress and interrupts, s."""

AGE_LIMIT = 1.15
"""How old a live frame may be when it is detected, in times of a detection."""

LOOP = "a loop over the results"
"""In place of a sink's name, where results go to a loop."""

REMEMBERED_IDS = 100_000
"""How many identities are remembered, so that each counts once."""

Timed = tuple[Frame, float]
"""A frame and the seconds that the source took for it."""

Detected = tuple[Detections | None, float]
"""Detections, None for a frame that is not looked at, and the seconds they took."""


class Pipeline:
    """Runs frames from a source through a detector and a tracker into sinks.

    Args:
        source: where frames come from.
        detector: called by `workers` threads.
        tracker: called by one thread, in order.
        sinks: by name, each called by a thread of its own; None for none.
        max_frames: end after this many frames of the source; None for all.
        workers: threads that detect; results stay in order.
        buffer: how many items wait between two stages when nothing may be dropped.
        age_limit: of a live source, let a frame go for the next one where it would be older than so
            many times what its detection takes, 1 or more; None takes what there is.
        sink_errors_end_it: whether a sink that fails ends the run; else the others go on, as long
            as there is one, and what it raised is raised at the end.

    A detector with a number `every` above 1 gets every so many-th frame only. The frames in
    between have no detections, and the tracker says where it expects the tracks (see Coaster).

    A pipeline runs once: by `run`, or by a loop over its results. It closes the source, the
    detector and the sinks, each in the thread that used it.
    """

    def __init__(
        self,
        source: Source,
        detector: Detector,
        tracker: Tracker,
        sinks: Mapping[str, Sink] | None = None,
        *,
        max_frames: int | None = None,
        workers: int = 1,
        buffer: int = 2,
        age_limit: float | None = AGE_LIMIT,
        sink_errors_end_it: bool = True,
    ) -> None:
        self.source = source
        self.detector = detector
        self.tracker = tracker
        self.sinks = dict(sinks or {})
        self.max_frames = max_frames
        self.stats = Stats()
        for sink in self.sinks.values():
            if isinstance(sink, StatsAware):
                sink.bind_stats(self.stats)
        self.interrupted: int | None = None
        self._frames: Channel[Timed] = Channel(1, replace=True) if source.live else Channel(buffer)
        self._pending: Channel[tuple[Timed, Future[Detected]]] = Channel(workers)
        self._results: dict[str, Channel[Result]] = {
            name: Channel(buffer) if sink.lossless else Channel(1, replace=True)
            for name, sink in self.sinks.items()
        }
        self._buffer = buffer
        self._sink_errors_end_it = sink_errors_end_it
        self._sinks_left = len(self.sinks)
        self._every: int = getattr(detector, "every", 1)
        self._taken = 0
        self._last = Tracks.empty()  # of the last look
        self._workers = workers
        self._working = workers
        self._turn = threading.Lock()
        self._rhythm = FrameSelector(age_limit, workers * self._every)
        self._failing = threading.Lock()
        self._errors: list[StageError] = []
        self._interrupts = 0

    @property
    def total(self) -> int | None:
        """How many frames the run will have, as far as is known."""
        known = [n for n in (self.source.frames, self.max_frames) if n is not None]
        return min(known, default=None)

    @property
    def failures(self) -> tuple[StageError, ...]:
        """What has failed so far, in order."""
        return tuple(self._errors)

    def run(self, progress: Callable[[Stats], None] | None = None) -> Stats:
        """Run to the end of the source, to a stop, or to the first failure.

        Args:
            progress: called about ten times a second in the calling thread.

        Raises:
            StageError: what a plugin raised, from it. All threads have ended by then.
        """
        threads = self._threads()
        for thread in threads:
            thread.start()
        handled = 0
        while any(thread.is_alive() for thread in threads):
            try:
                self._wait(threads)
                self._stop_source()
                if progress is not None:
                    progress(self.stats)
            except KeyboardInterrupt:
                self.interrupt()
            except BaseException as raised:  # by `progress`; the threads must still end
                self._fail("progress", None, raised)
                progress = None
                self.stop()
            if self._interrupts > handled:
                handled = self._interrupts
                self.stop(discard=handled > 1)
        for error in self._errors[1:]:
            log.error("also failed: %s", error)
        if self._errors:
            raise self._errors[0]
        return self.stats

    def __iter__(self) -> Iterator[Result]:
        """Run, and give the results in order. Leaving the loop early ends the run.

        A slow loop holds up what comes before it: of a live source, frames are then dropped
        before they are detected, and what the loop gets is never old.

        Raises:
            StageError: what a plugin raised, behind the last result that there was.
        """
        handed = self._results[LOOP] = Channel(self._buffer)
        errors: list[BaseException] = []

        def run() -> None:
            try:
                self.run()
            except BaseException as error:
                errors.append(error)

        runner = threading.Thread(target=run, name="vidan-run")
        runner.start()
        try:
            yield from handed
        finally:
            self.stop()
            handed.close(discard=True)
            runner.join()
        if errors:
            raise errors[0]

    def stop(self, *, discard: bool = False) -> None:
        """End the run: take no more frames and finish what is under way, or `discard` it."""
        self._frames.close(discard=discard)
        if discard:
            self._pending.close(discard=True)
            for results in self._results.values():
                results.close(discard=True)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """What Ctrl-C does: the first time stop, the second time discard.

        Only takes note, so that the handler of signal `number` may call it.
        """
        self.interrupted = number
        self._interrupts += 1

    def _threads(self) -> list[threading.Thread]:
        jobs: dict[str, Callable[[], None]] = {"source": self._read, "tracker": self._track}
        jobs |= {f"detector-{n}": self._detect for n in range(self._workers)}
        jobs |= {f"sink-{name}": partial(self._write, name) for name in self.sinks}
        return [threading.Thread(target=job, name=f"vidan-{name}") for name, job in jobs.items()]

    @staticmethod
    def _wait(threads: Iterable[threading.Thread]) -> None:
        """Wait for all threads, POLL s at most."""
        end = time.monotonic() + POLL
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _stop_source(self) -> None:
        """Once no more frames are taken, none need be waited for either."""
        stop = getattr(self.source, "stop", None)  # see interfaces.Stoppable
        if stop is not None and self._frames.closed:
            stop()

    def _fail(self, stage: str, frame: int | None, cause: BaseException) -> StageError:
        error = StageError(stage, frame, cause)
        error.__cause__ = cause
        with self._failing:
            self._errors.append(error)
        return error

    def _read(self) -> None:
        at: int | None = None
        try:
            started = time.perf_counter()
            for frame in self.source:
                at = frame.index
                seconds = time.perf_counter() - started
                self.stats.frame_captured(frame.index, seconds)
                self._rhythm.came(frame, time.monotonic())
                if not self._frames.put((frame, seconds)):
                    break
                self.stats.dropped = self._frames.dropped
                if self.max_frames is not None and self.stats.captured >= self.max_frames:
                    break
                started = time.perf_counter()
        except BaseException as error:
            self._fail("source", None if at is None else at + 1, error)
        self._close("source", self.source)
        self._frames.close()

    def _detect(self) -> None:
        while (job := self._take()) is not None:
            (frame, _), future = job
            if future.done():  # it is not looked at
                continue
            started = time.perf_counter()
            try:
                found = self.detector.detect([frame])
                if len(found) != 1:
                    raise ValueError(f"expected 1 result for 1 frame, got {len(found)}")
                future.set_result((found[0], time.perf_counter() - started))
            except BaseException as error:
                self._fail("detector", frame.index, error)
                self._frames.close(discard=True)
                future.set_exception(error)
        with self._turn:
            self._working -= 1
            last = self._working == 0
        if last:
            self._pending.close()
            self._close("detector", self.detector)

    def _take(self) -> tuple[Timed, Future[Detected]] | None:
        """The next frame to detect, once there is room for its result.

        In this order, so that a frame of a live source is the newest when its detection
        starts; one worker at a time, so that results are awaited in the order of frames. Where
        it would get too old, it lets it go for the next.
        """
        with self._turn:
            if not self._pending.wait_for_room():
                return None
            if self.source.live:
                self._frames.wait_for_newer(self._rhythm.wait(time.monotonic()))
            timed = next(self._frames, None)
            if timed is None:
                return None
            future: Future[Detected] = Future()
            if self._taken % self._every:
                future.set_result((None, 0.0))
            self._taken += 1
            self._pending.put((timed, future))
            return timed, future

    def _track(self) -> None:
        at: int | None = None
        identities = _Identities()
        try:
            for timed, future in self._pending:
                if future.exception() is not None:
                    break
                at = timed[0].index
                result = self._result(timed, future.result())
                self.stats.frame_done(
                    time.monotonic(),
                    result.timings,
                    len(result.detections),
                    identities.new(result),
                )
                for results in self._results.values():
                    results.put(result)
        except BaseException as error:
            self._fail("tracker", at, error)
        self._frames.close(discard=True)
        self._pending.close(discard=True)
        for results in self._results.values():
            results.close()

    def _result(self, timed: Timed, detected: Detected) -> Result:
        frame, read = timed
        detections, detecting = detected
        started = time.perf_counter()
        if detections is None:
            detections = Detections.empty()
            tracks = coast(self.tracker, frame, self._last)
        else:
            self._rhythm.detected(detecting)
            tracks = self._last = self.tracker.update(frame, detections)
        tracking = time.perf_counter() - started
        timings = {"source": read, "detector": detecting, "tracker": tracking}
        return Result(frame, detections, tracks, self.detector.labels, (), timings)

    def _write(self, name: str) -> None:
        sink, results = self.sinks[name], self._results[name]
        at: int | None = None
        try:
            for result in results:
                at = result.frame.index
                started = time.perf_counter()
                sink.write(result)
                seconds = time.perf_counter() - started
                age = time.monotonic() - result.frame.captured
                self.stats.written(name, seconds, age)
        except StopRun:
            self.stop()
        except BaseException as error:
            failure = self._fail(f"sink.{name}", at, error)
            if self._ends_with_sink():
                self._frames.close(discard=True)
                self._pending.close(discard=True)
            else:
                log.error("%s; the run goes on without it", failure)
        results.close(discard=True)
        self._close(f"sink.{name}", sink)

    def _ends_with_sink(self) -> bool:
        """Whether the run ends now that one more sink has failed."""
        with self._failing:
            self._sinks_left -= 1
            alone = not self._sinks_left and LOOP not in self._results
            return self._sink_errors_end_it or alone

    def _close(self, stage: str, plugin: Source | Detector | Sink) -> None:
        try:
            plugin.close()
        except BaseException as error:
            self._fail(stage, None, error)


class _Identities:
    """Counts each identity once, over the latest REMEMBERED_IDS of them."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, None] = OrderedDict()

    def new(self, result: Result) -> dict[str, int]:
        """How many identities of this result were not seen before, by label."""
        counts: dict[str, int] = {}
        for identity, class_index in zip(
            result.tracks.ids.tolist(), result.tracks.classes.tolist(), strict=True
        ):
            if identity not in self._seen:
                label = result.label(class_index)
                counts[label] = counts.get(label, 0) + 1
            self._seen[identity] = None
            self._seen.move_to_end(identity)
        while len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return counts
