"""One detector for all streams: which frames it gets, and in which batches."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import InvalidStateError
from contextlib import suppress

from ..errors import StageError
from ..interfaces import Batching, Detector
from .stream import Detected, Job, Stream


class DetectorPool:
    """Worker threads that take the newest frame of each live stream.

    The stream whose last frame was taken longest ago comes first, so none gets a second frame
    detected before another that is waiting got its first; among equals, the oldest frame does.
    A batch is formed from the frames that are waiting, and never waits for more: on the machines
    measured so far, waiting costs more latency than a larger batch saves.

    A frame is taken only when there is room for its result, so that it is as new as possible
    when its detection starts.

    Attributes:
        detector: that they call.
        stuck: threads whose detection has timed out.

    Args:
        detector: called by the worker threads, and closed by the last of them.
        streams: connected to it here.
        workers: threads that detect at the same time; results stay in order.
        max_batch: frames in a batch at most; None for as many as help the detector (see
            Batching).
        timeout: s after which a detection that has not ended fails; None for never.
    """

    def __init__(
        self,
        detector: Detector,
        streams: Sequence[Stream],
        workers: int,
        max_batch: int | None,
        timeout: float | None = None,
    ) -> None:
        self.detector = detector
        self._streams = streams
        self._workers = workers
        self._working = workers
        self._timeout = timeout
        self._running: dict[threading.Thread, tuple[float, list[Job]]] = {}
        self.stuck: set[threading.Thread] = set()
        helpful = detector.batch if isinstance(detector, Batching) else 1
        self._batch = helpful if max_batch is None else max_batch
        self._changed = threading.Condition()
        self._failures: list[StageError] = []
        self._turns = dict.fromkeys(streams, 0)  # of the last frame taken of each
        self._turn = 0
        for stream in streams:
            stream.connect(detector, workers, self._batch, self._changed)

    @property
    def failures(self) -> tuple[StageError, ...]:
        """What failed that is not the failure of one stream: closing the detector."""
        return tuple(self._failures)

    def fail_overdue(self) -> None:
        """End all streams if a detection takes longer than the timeout: it may never end."""
        if self._timeout is None:
            return
        before = time.monotonic() - self._timeout
        for thread, (started, jobs) in list(self._running.items()):
            if started < before and thread not in self.stuck:
                self.stuck.add(thread)
                error = TimeoutError(
                    f"no result after {self._timeout:g} s; set pipeline.detection_timeout to a "
                    "longer time if the model is that slow"
                )
                frames = {id(job.stream): job.frame.index for job in jobs}
                for stream in self._streams:
                    stream.lose_detector(frames.get(id(stream)), error)

    def jobs(self) -> dict[str, Callable[[], None]]:
        """The loops of its threads by name."""
        return {f"detector-{n}": self._work for n in range(self._workers)}

    def _work(self) -> None:
        while jobs := self._take():
            self._detect(jobs)
        with self._changed:
            self._working -= 1
            last = self._working == 0
        if last:
            try:
                self.detector.close()
            except BaseException as error:
                failure = StageError("detector", None, error)
                failure.__cause__ = error
                self._failures.append(failure)

    def _take(self) -> list[Job]:
        """The next batch; empty once no stream has frames to detect anymore."""
        with self._changed:
            while True:
                now = time.monotonic()
                if jobs := self._form_batch(now):
                    return jobs
                due = min(stream.due(now) for stream in self._streams)
                if all(stream.finished for stream in self._streams):
                    return []
                self._changed.wait(None if math.isinf(due) else due)

    def _form_batch(self, now: float) -> list[Job]:
        """The frames that are due: one of each stream, then a second of each, and so on."""
        jobs: list[Job] = []
        while len(jobs) < self._batch:
            ready = [stream for stream in self._streams if stream.due(now) == 0]
            if not ready:
                break
            stream = min(ready, key=lambda each: (self._turns[each], _captured(each)))
            if job := stream.take():
                self._turn += 1
                self._turns[stream] = self._turn
                jobs.append(job)
        return jobs

    def _detect(self, jobs: list[Job]) -> None:
        started = time.perf_counter()
        thread = threading.current_thread()
        try:
            self._running[thread] = time.monotonic(), jobs
            found = self.detector.detect([job.frame for job in jobs])
            if len(found) != len(jobs):
                n = len(jobs)
                wanted = "1 result for 1 frame" if n == 1 else f"{n} results for {n} frames"
                raise ValueError(f"expected {wanted}, got {len(found)}")
        except BaseException as error:
            if len(jobs) == 1:
                jobs[0].stream.fail_detection(jobs[0], error)
            else:  # one at a time, so that only the streams fail whose frames do
                for job in jobs:
                    self._detect([job])
            return
        finally:
            self._running.pop(thread, None)
        seconds = time.perf_counter() - started
        for job, detections in zip(jobs, found, strict=True):
            with suppress(InvalidStateError):  # discarded
                job.future.set_result(Detected(detections, seconds))


def _captured(stream: Stream) -> float:
    """When the waiting frame of a stream was captured, s."""
    first = stream.frames.first
    return math.inf if first is None else first.frame.captured
