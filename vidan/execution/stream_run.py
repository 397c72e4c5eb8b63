"""One stream of a run: put together from its settings, and summarized at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ..interfaces import Detector, ReportsOutages, ReportsOutputs, Source
from ..journal import RunStart
from ..runtime.stream import Stream
from .assemble import assemble
from .continuation import with_counts
from .counts import CountsKeeper
from .inputs import identities
from .parts import Parts, with_replay
from .settings import RunSettings
from .summary import Ending, Summary, measure_records, summarize


@dataclass(frozen=True, slots=True)
class StreamRun:
    """A stream of a run.

    Attributes:
        settings: of the stream.
        parts: its components.
        stream: that runs them.
        keeper: saves the counts; None if they are not saved.
    """

    settings: RunSettings
    parts: Parts
    stream: Stream
    keeper: CountsKeeper | None

    def finish(self, ending: Ending) -> Summary:
        """Save the counts, and summarize the stream."""
        if self.keeper is not None:
            self.keeper.close()
        source = self.parts.source
        outages = source.outages if isinstance(source, ReportsOutages) else ()
        return summarize(
            self.stream.stats,
            ending,
            measures=measure_records(self.stream.analysis.measures()),
            outages=[outage.summary() for outage in outages],
            outputs=self.outputs,
        )

    @property
    def outputs(self) -> Sequence[str]:
        """Paths of the files that its sinks and analyzers write."""
        writers = (*self.parts.sinks.values(), *self.parts.analyzers.values())
        return [
            path
            for writer in writers
            if isinstance(writer, ReportsOutputs)
            for path in writer.outputs
        ]


def build_stream(
    settings: RunSettings,
    source: Source,
    detector: Detector,
    opened: ExitStack,
    start: RunStart,
    *,
    name: str = "",
    require_display: bool = True,
    resumable: bool = False,
    resumed: bool = False,
    wrap: Callable[[Parts], Parts] = lambda parts: parts,
) -> StreamRun:
    """Put a stream together.

    Args:
        settings: of the stream.
        source: of the stream.
        detector: that it uses.
        opened: takes over closing the components.
        start: of the run.
        name: of the stream, where there are several.
        require_display: whether a sink without a display is an error; else it is left out.
        resumable: whether to record what `vidan resume` needs.
        resumed: whether it continues an interrupted run.
        wrap: adds layers to the components.

    Raises:
        VidanError: a component cannot be built.
    """
    parts = assemble(settings, source, detector, opened, start, require_display=require_display)
    if resumable:
        inputs = identities(settings.components)
        parts = with_replay(parts, settings.run_dir, inputs, start, resumed=resumed)
        opened.callback(parts.detector.close)
    parts, keeper = with_counts(parts, settings, start, resumable=resumable, resumed=resumed)
    if keeper is not None:
        opened.callback(keeper.close)
    parts = wrap(parts)
    stream = Stream(
        parts.source,
        parts.tracker,
        parts.sinks,
        parts.analyzers,
        name=name,
        detector=parts.detector,
        max_frames=settings.max_frames,
        buffer=settings.pipeline.buffer,
        age_limit=settings.pipeline.age_limit,
        detect_every=settings.pipeline.detect_every,
        motion=settings.motion,
        on_sink_error=settings.on_sink_error,
        images=settings.images,
    )
    return StreamRun(settings, parts, stream, keeper)
