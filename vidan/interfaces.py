"""What a source, a detector, a tracker and a sink are.

Protocols, not base classes: any object of the right shape will do. Each object is
used by one thread at a time and closed by the thread that used it, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from .journal import RunJournal
from .outages import Outages
from .stats import Stats
from .types import Detections, Frame, Result, Tracks


class StopRun(Exception):  # noqa: N818 - a request, not an error
    """Raised by a sink's `write` to end the run as if the source had ended."""


@runtime_checkable
class Source(Protocol):
    """Where frames come from: one stream."""

    @property
    def live(self) -> bool:
        """Whether frames come whether or not anyone is ready for them, as from a camera.

        Of a live source the pipeline drops frames that are too old, never otherwise.
        """
        ...

    @property
    def frames(self) -> int | None:
        """How many frames there will be; None if that is not known."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order. An image that cannot be read leaves a gap in `index`.

        Raises:
            SourceError: it cannot be read further.
        """
        ...

    def close(self) -> None:
        """Let go of files and devices; a second call does nothing."""
        ...


@runtime_checkable
class Stoppable(Protocol):
    """What a source that may wait for long should be as well: a run then ends at once."""

    def stop(self) -> None:
        """End the iteration, whatever it waits for. From any thread; does not wait itself."""
        ...


@runtime_checkable
class Detector(Protocol):
    """What finds boxes in images.

    One with a number `every` above 1 is only asked in every so many-th frame; see `Coaster`.
    """

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
        """Let go of the model; a second call does nothing."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """What gives detections identities. Holds the state of one stream."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:
        """The tracks as of this frame.

        Called once per frame, `frame.index` rising; a gap in it is time without a look.
        """
        ...


@runtime_checkable
class Coaster(Protocol):
    """What a tracker should be as well: it says where tracks are while nobody looks.

    Between two looks of a detector that looks in every so many-th frame. Of a tracker that
    does not say it, the tracks of the last look are shown where they were.
    """

    def coast(self, frame: Frame) -> Tracks:
        """The tracks of the last look, where they are expected in this frame.

        It is no look: no track is missed, and none ends. `detection` is -1, and `misses` is 0
        for tracks that were matched at the last look.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """What carries results out."""

    @property
    def lossless(self) -> bool:
        """Whether it must get every result (a recording) or only the newest (a view)."""
        ...

    def write(self, result: Result) -> None:
        """Take one result, in order.

        Raises:
            SinkError: it cannot be written.
            StopRun: the user asked to end the run.
        """
        ...

    def close(self) -> None:
        """Finish what was written; also called when nothing was, or after an error."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """What a sink should be as well whose files have names by the clock.

    `vidan resume` does an interrupted job again from its beginning: then the files are to have the
    names that they had, and what is left of those from before is to go.
    """

    def resume_from(self, job: RunJournal) -> None:
        """A job that may be interrupted begins, or begins again; called before the first `write`.

        The clock of such a run shows `job.began` at its first frame and goes by stream time. Each
        file is noted in `job` before it is made, and those of `job.files` that are this sink's
        are deleted.
        """
        ...


@runtime_checkable
class StatsAware(Protocol):
    """What a sink that shows figures should be as well: it is told what the run measures.

    A sink sees the results that reach it; frames that were dropped never do.
    """

    def bind_stats(self, stats: Stats) -> None:
        """Take what the run measures; it counts on, and is only to be read.

        Called once, before the first result.
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
    """Optional for a sink that writes files."""

    @property
    def outputs(self) -> Sequence[str]:
        """Paths of the files that it wrote; read after `close`, for the summary."""
        ...


@runtime_checkable
class HasThreshold(Protocol):
    """Optional for a detector that discards boxes with low scores."""

    @property
    def threshold(self) -> float:
        """Lowest score that it returns, 0 to 1."""
        ...
