"""The interfaces of components: source, detector, tracker, analyzer, sink and runner.

They are protocols, not base classes: any object with the right methods is one. Each object is used
by one thread at a time and closed by the thread that used it, unless its method says otherwise.
Optional protocols, such as `Stoppable`, are what the pipeline uses where a component has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, runtime_checkable

from .events import Event, Measure, Shape
from .journal import RunJournal
from .outages import Outages
from .scene import SceneContext
from .stats import Stats
from .support.score_scale import ScoreScale
from .types import Detections, Frame, Result, Tracks


class StopRun(Exception):  # noqa: N818 - a request, not an error
    """Raised by a sink to end the run as if the source had ended."""


@runtime_checkable
class Source(Protocol):
    """Yields the frames of one stream."""

    @property
    def live(self) -> bool:
        """Whether frames arrive whether or not anyone is ready for them, as from a camera.

        The pipeline drops frames of live sources when a newer one is there, and of no others.
        """
        ...

    @property
    def frames(self) -> int | None:
        """Number of frames; None if it is not known."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order. An image that cannot be read leaves a gap in `index`.

        Raises:
            SourceError: the source cannot be read further.
        """
        ...

    def close(self) -> None:
        """Release files and devices; a second call does nothing."""
        ...


@runtime_checkable
class HasImageSize(Protocol):
    """Optional, for a source that knows the size of its images before the first frame."""

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height, px; None if they are not known."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """Optional, for a source that may block for long: ends the run without delay."""

    def stop(self) -> None:
        """End the iteration, whatever it waits for; called by any thread, returns at once."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Finds boxes in frames. Shared by all streams."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each class index."""
        ...

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Detections of each frame, in the order given.

        Called from several threads at once when `pipeline.workers` is more than 1.
        """
        ...

    def close(self) -> None:
        """Release the model; a second call does nothing."""
        ...


@runtime_checkable
class Batching(Protocol):
    """Optional, for a detector that is faster with several frames in one call."""

    @property
    def batch(self) -> int:
        """Number of frames in one call beyond which it gains nothing, at least 1."""
        ...


@runtime_checkable
class RenamesLabels(Protocol):
    """Optional, for a detector whose labels may have other names than those of its model."""

    @property
    def own_labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of the model that each class index stands for."""
        ...


def own_labels(detector: Detector) -> tuple[tuple[str, ...], ...]:
    """The labels of a detector's model that each class index stands for."""
    if isinstance(detector, RenamesLabels):
        return detector.own_labels
    return tuple((label,) for label in detector.labels)


@runtime_checkable
class Tracker(Protocol):
    """Assigns ids to detections. Holds the state of one stream."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame.

        Called once for each detected frame, with `frame.index` increasing; a gap in it is time
        without detections, not an empty scene.
        """
        ...


@runtime_checkable
class Coaster(Protocol):
    """Optional: predicts track positions in frames that the detector skips.

    With a tracker that does not, the tracks of the last update stay where they were.
    """

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last update at their predicted positions in this frame.

        This is not an update: no track is missed, and none ends. `detection` is -1, and `misses`
        is 0 for tracks that were matched in the last update.
        """
        ...


@runtime_checkable
class Analyzer(Protocol):
    """Turns tracks into events. Holds the state of one stream.

    Its events must depend on the results alone, so that repeating a run repeats them.
    """

    def update(self, result: Result) -> Sequence[Event]:
        """The events that became known with this frame, in order.

        Called once per frame, in order, after the tracker and in its thread. `result.events` holds
        what the analyzers before this one reported for the frame.
        """
        ...

    def finish(self) -> Sequence[Event]:
        """The events that were still pending at the end of the stream, such as ends of visits."""
        ...


@runtime_checkable
class Visual(Protocol):
    """Optional, for an analyzer that has something to draw."""

    def shapes(self) -> Sequence[Shape]:
        """What to draw over the frame of the last update."""
        ...


@runtime_checkable
class Measuring(Protocol):
    """Optional, for an analyzer or a sink that has current values, such as counts."""

    def measures(self) -> Mapping[Measure, float]:
        """The values as of the last update, by what they measure.

        Called once per frame, of a sink by another thread than its own; the mapping is not changed
        afterward, so the same one may be returned for as long as no value changes.
        """
        ...


@runtime_checkable
class Stateful(Protocol):
    """Optional, for an analyzer whose counts survive a restart of the run.

    The state is everything that later events and measures depend on: counts, the numbers in the
    ids of events, and what is known of each track, such as its side of a line or its visit. So an
    analyzer that continues from a state reports the same events as one that was never stopped.

    A restarted run has a new stream time and a new tracker. The run takes care of both: it passes
    an `offset` to `restore`, and no track has an id that is in the state. To an analyzer, the
    tracks of the state have simply had no detection since then: a visit ends, or is continued by
    a new track, by the same rules as at any other time.
    """

    def state(self) -> Mapping[str, Any]:
        """What `restore` needs, ready for JSON: string keys, lists, strings and finite numbers.

        As of the last update, and before `finish`. Times are in stream time, s. It shares nothing
        with the analyzer that changes later.
        """
        ...

    def restore(self, state: Mapping[str, Any], offset: float = 0.0) -> None:
        """Continue from a state; called before the first `update`.

        Args:
            state: of an analyzer with the same scene and options, as read from JSON.
            offset: to add to each time in it, s: 0 where the stream itself continues. In a new
                run, whose first frame has time 0, it is negative, so that all times are before 0:
                the last update by as much as time has passed since. An event of something that
                happened before the run, such as the end of a visit, has a negative time.

        Raises:
            ValueError: the state is not one of this analyzer, which is then not to be used.
        """
        ...

    def reset_counts(self) -> None:
        """Start all counts from zero, between two updates.

        What is known of the present objects stays, and so do the numbers in the ids of events,
        which must not repeat.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """Publishes results. It may be an `EventSink` as well."""

    @property
    def lossless(self) -> bool:
        """Whether it must get every result (a recording) or only the newest (a view)."""
        ...

    def write(self, result: Result) -> None:
        """Publish one result; called in order.

        Raises:
            SinkError: it cannot be written.
            StopRun: the user asked to end the run.
        """
        ...

    def close(self) -> None:
        """Finish the output; also called when there was none, and after an error."""
        ...


@runtime_checkable
class EventSink(Protocol):
    """Publishes events. It gets every one, whether or not it gets every result."""

    def emit(self, events: Sequence[Event]) -> None:
        """Publish events, in order; called before `write` for their frame.

        Raises:
            SinkError: they cannot be published.
            StopRun: the user asked to end the run.
        """
        ...

    def close(self) -> None:
        """Finish the output; also called when there was none, and after an error."""
        ...


@runtime_checkable
class Deferred(Protocol):
    """Optional, for a sink that reads no pixels, and whose results and events may wait a little.

    It then gets several in a row: a thread that wakes up a few times per second needs a fraction of
    the CPU time of one that wakes up for each frame. The frames of its results have no image.
    """

    @property
    def write_delay(self) -> float:
        """How long they may wait, s; 0 not to wait, and to get frames with their images."""
        ...


@runtime_checkable
class Runner(Protocol):
    """Runs the jobs of `vidan batch` in processes that are used again for the next job.

    A part of `concurrent.futures.Executor`. Its constructor raises a VidanError of one line if the
    workers cannot be reached.
    """

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run `function(*args)` in a worker when one is free; returns at once.

        The function is importable there, and the arguments and the result can be pickled. The
        future fails with what the function raised, or with any error if its worker died; the
        other jobs go on, and a new worker replaces that one. A VidanError says that no job can be
        run anymore, and ends the command.
        """
        ...

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers; a second call does nothing.

        Args:
            wait: whether to wait for the jobs; else the running ones are killed.
            cancel_futures: whether to drop the jobs that no worker has begun.
        """
        ...


@runtime_checkable
class Resumable(Protocol):
    """Optional, for a sink that names files by the clock.

    `vidan resume` repeats an interrupted job from its first frame: the files must then get the
    names they had, and what is left of the earlier ones must go.
    """

    def resume_from(self, job: RunJournal) -> None:
        """Take the clock and the files of a job that may be repeated; called before any `write`.

        The clock of such a run shows `job.began` at its first frame and follows stream time. Each
        file is noted in `job` before it is made, and those of `job.files` that belong to this sink
        are deleted.
        """
        ...


@runtime_checkable
class StatsAware(Protocol):
    """Optional, for a sink that shows statistics, dropped frames included."""

    def bind_stats(self, stats: Stats) -> None:
        """Take the live statistics of the stream, to be read only.

        Called once, before the first result.
        """
        ...


@runtime_checkable
class SceneEditable(Protocol):
    """Optional, for an analyzer that follows when the scene is edited during the run."""

    def change_scene(self, scene: SceneContext) -> Sequence[Event]:
        """Use another scene from the next frame on; called between two updates.

        Lines and zones that are as they were continue with their counts and visits. The ids of
        events do not repeat, also if a line or zone is changed, or deleted and drawn again.

        Args:
            scene: that was checked.

        Returns:
            Events that the change causes, such as the ends of visits to a zone that was deleted.
        """
        ...


@runtime_checkable
class SceneEditor(Protocol):
    """Optional, for a sink through which the scene is edited during the run."""

    def bind_scene(self, change: Callable[[SceneContext], None]) -> None:
        """Take what applies a scene to the analyzers, from the next frame on; from any thread.

        Called once, before the first result. The scene is to be checked before.
        """
        ...


@runtime_checkable
class ReportsOutages(Protocol):
    """Optional for a source that can lose its connection.

    The outages are in the summary, and the tracker is reset after long ones.
    """

    @property
    def outages(self) -> Outages:
        """The outages so far; the same object throughout the run."""
        ...


@runtime_checkable
class ReportsOutputs(Protocol):
    """Optional for a sink or an analyzer that writes files."""

    @property
    def outputs(self) -> Sequence[str]:
        """Paths of the files that it wrote; read after `close` or `finish`, for the summary."""
        ...


@runtime_checkable
class HasThreshold(Protocol):
    """Optional for a detector that discards boxes with low scores."""

    @property
    def threshold(self) -> float:
        """Lowest score that it returns, 0 to 1."""
        ...


@runtime_checkable
class HasScoreScale(Protocol):
    """Optional for a detector whose scores are known to mean something.

    Trackers get the scores of all detectors on a common scale. For detectors without this, the
    scale is estimated from the stream.
    """

    @property
    def score_scale(self) -> ScoreScale | None:
        """How its scores map to the common scale; None if it is not known."""
        ...
