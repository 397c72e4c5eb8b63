"""The frame loop: threads, order, dropping, shutdown and failure.

    source ──frames──► detector ──pending──► tracker, analyzers ──deliveries──► sinks
    one thread         worker pool           one thread                         one thread each

Each stream has its own source, tracker, analyzers and sinks; streams share detectors.

Frames are dropped in one place only, before detection, and only those of a live source:
its channel holds one frame and replaces it by a newer one. Elsewhere a full channel makes the
writer wait. A closed channel ends its writer at the next `put` and its reader after the items
that are left in it: that is how the end of a stream, a stop and a failure travel.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from ..errors import StageError
from ..interfaces import Detector
from ..stats import Stats
from ..support.stuck import DaemonThread, give_up
from ..types import Result
from .batching import DetectorPool
from .channel import Channel
from .stream import Stream

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How often the waiting thread reports progress and checks for interrupts, s."""

ABANDON_AFTER_S = 5.0
"""Time after the second interrupt, or after a detection timed out, for all threads to end."""

LOOP_BUFFER = 2
"""Results that wait for a loop over them."""


class Pipeline:
    """Runs one or more streams through the detectors that they share.

    A pipeline runs once: by `run`, or by a loop over its results. It closes the sources, the
    detectors and the sinks, each in the thread that used it. A `with` block stops it at its end,
    and closes one that has not run.

    Args:
        streams: one stream, or several.
        detector: shared by all streams without one of their own; None if each has one. Streams
            with the same one share it too.
        workers: threads that call each detector; results stay in order.
        max_batch: frames in one call of the detector at most; None for as many as help it: see
            Batching.
        detection_timeout: s after which a detection that has not ended fails; None for never.

    Attributes:
        streams: the streams.
        detector: of all streams without one of their own.
        interrupted: number of the signal that interrupted the run; None if none did.
    """

    def __init__(
        self,
        streams: Stream | Sequence[Stream],
        detector: Detector | None = None,
        *,
        workers: int = 1,
        max_batch: int | None = None,
        detection_timeout: float | None = None,
    ) -> None:
        self.streams = [streams] if isinstance(streams, Stream) else list(streams)
        self.detector = detector
        self.interrupted: int | None = None
        self._pools = [
            DetectorPool(each, sharing, workers, max_batch, detection_timeout)
            for each, sharing in _by_detector(self.streams, detector)
        ]
        self._interrupts = 0
        self._own_failures: list[StageError] = []
        self._started = False

    @property
    def stats(self) -> Stats:
        """The statistics of the stream, live; of several streams, the totals as of now."""
        if len(self.streams) == 1:
            return self.streams[0].stats
        return Stats.total(stream.stats for stream in self.streams)

    @property
    def total(self) -> int | None:
        """How many frames the run will have, as far as is known."""
        totals = [stream.total for stream in self.streams]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    @property
    def failures(self) -> tuple[StageError, ...]:
        """What has failed so far, in order within each stream."""
        of_streams = [failure for stream in self.streams for failure in stream.failures]
        of_pools = [failure for pool in self._pools for failure in pool.failures]
        return (*of_streams, *of_pools, *self._own_failures)

    def run(self, progress: Callable[[Stats], None] | None = None) -> Stats:
        """Run to the end of all sources, to a stop, or to the first failure.

        A failure ends its stream; the others run to their end.

        Args:
            progress: called about ten times a second in the calling thread.

        Raises:
            StageError: what a plugin raised, from it. All threads have ended by then.
            RuntimeError: it has run before.
        """
        self._start()
        self._run(progress)
        return self.stats

    def _start(self) -> None:
        if self._started:
            raise RuntimeError("a pipeline runs once, and this one has: make another one")
        self._started = True

    def _run(self, progress: Callable[[Stats], None] | None = None) -> None:
        threads = self._threads()
        for thread in threads:
            thread.start()
        handled = 0
        until = math.inf
        while any(thread.is_alive() for thread in threads) and time.monotonic() < until:
            try:
                if self._interrupts > handled:
                    handled = self._interrupts
                    self.stop(discard=handled > 1)
                for pool in self._pools:
                    pool.fail_overdue()
                is_stuck = any(pool.stuck for pool in self._pools)
                if math.isinf(until) and (handled > 1 or is_stuck):
                    until = time.monotonic() + ABANDON_AFTER_S
                self._wait(threads)
                for stream in self.streams:
                    stream.stop_source()
                if progress is not None:
                    progress(self.stats)
            except KeyboardInterrupt:
                self.interrupt()
            except BaseException as raised:  # by `progress`; the threads must still end
                failure = StageError("progress", None, raised)
                failure.__cause__ = raised
                self._own_failures.append(failure)
                progress = None
                self.stop()
        self._abandon(thread for thread in threads if thread.is_alive())
        failures = self.failures
        for failure in failures[1:]:
            log.error("also failed: %s", failure)
        if failures:
            raise failures[0]

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; one that has not run closes its components."""
        self.stop()
        if not self._started:
            self._started = True
            for pool in self._pools:
                pool.detector.close()
            for stream in self.streams:
                for component in (stream.source, *stream.sinks.values()):
                    component.close()

    def __iter__(self) -> Iterator[Result]:
        """Run, and yield the results of each stream in order. Leaving the loop ends the run.

        A slow loop holds up what comes before it: frames of a live source are then dropped
        before they are detected, and the loop never gets an old one.

        Raises:
            StageError: what a plugin raised, after the last result.
            RuntimeError: it has run before.
        """
        self._start()
        results: Channel[Result] = Channel(LOOP_BUFFER)
        for stream in self.streams:
            stream.listeners.append(results)
        errors: list[BaseException] = []

        def run() -> None:
            try:
                self._run()
            except BaseException as error:
                errors.append(error)
            results.close()

        runner = threading.Thread(target=run, name="vidan-run")
        runner.start()
        try:
            yield from results
        finally:
            self.stop()
            results.close(discard=True)
            runner.join()
        if errors:
            raise errors[0]

    def stop(self, *, discard: bool = False) -> None:
        """End the run: take no more frames and finish what is under way, or `discard` it."""
        for stream in self.streams:
            stream.stop(discard=discard)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Do what Ctrl-C does: stop the first time, discard the second time.

        Only takes note, so that the handler of signal `number` may call it.
        """
        self.interrupted = number
        self._interrupts += 1

    @staticmethod
    def _abandon(threads: Iterable[DaemonThread]) -> None:
        """Go on without threads that do not end, as in a model that never does."""
        for thread in threads:
            log.error("%s did not end and is left behind", thread.name.removeprefix("vidan-"))
            give_up(thread)

    def _threads(self) -> list[DaemonThread]:
        loops = [pool.jobs() for pool in self._pools] + [each.jobs() for each in self.streams]
        named = [loop for group in loops for loop in group.items()]
        return [DaemonThread(loop, f"vidan-{name}") for name, loop in named]

    @staticmethod
    def _wait(threads: Iterable[DaemonThread]) -> None:
        """Wait for all threads, POLL_S at most."""
        end = time.monotonic() + POLL_S
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))


def _by_detector(
    streams: Sequence[Stream], common: Detector | None
) -> Iterator[tuple[Detector, list[Stream]]]:
    """Each detector with the streams that use it."""
    found: dict[int, tuple[Detector, list[Stream]]] = {}
    for stream in streams:
        detector = stream.detector or common
        if detector is None:
            raise ValueError(f"stream {stream.name!r} has no detector")
        found.setdefault(id(detector), (detector, []))[1].append(stream)
    return iter(found.values())
