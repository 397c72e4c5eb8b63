"""The analyzers of one stream, called in order."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..events import Event, Measure
from ..interfaces import Analyzer, EventSink, Measuring, SceneEditable, Sink, Visual
from ..scene import SceneContext
from ..types import Result


class Analysis:
    """Calls the analyzers of a stream, each of which sees the events of those before it.

    Args:
        analyzers: by name, in the order in which they are called.
        sinks: whose measures the results have too.

    Attributes:
        current: name of the analyzer that was called last, for failures; "" if set to that since.
    """

    def __init__(
        self, analyzers: Mapping[str, Analyzer], sinks: Iterable[Sink | EventSink] = ()
    ) -> None:
        self.current = ""
        self._scene: SceneContext | None = None  # that applies from the next frame on
        self._analyzers = dict(analyzers)
        parts = (*self._analyzers.values(), *sinks)
        self._measuring = [part for part in parts if isinstance(part, Measuring)]
        self._visual = {n: a for n, a in self._analyzers.items() if isinstance(a, Visual)}

    def update(self, result: Result) -> Result:
        """The result with what the analyzers report for it."""
        if not self._analyzers:
            return result
        started = time.perf_counter()
        if self._scene is not None:
            result = self._apply_scene(result)
        for name, analyzer in self._analyzers.items():
            self.current = name
            events = tuple(analyzer.update(result))
            shapes = tuple(self._visual[name].shapes()) if name in self._visual else ()
            if events or shapes:
                result = replace(
                    result, events=result.events + events, shapes=result.shapes + shapes
                )
        timings = {**result.timings, "analytics": time.perf_counter() - started}
        return replace(result, timings=timings, measures=self.measures())

    def change_scene(self, scene: SceneContext) -> None:
        """Let the analyzers use another scene from the next frame on; from any thread."""
        self._scene = scene

    def _apply_scene(self, result: Result) -> Result:
        """The result with what the change of the scene causes."""
        scene, self._scene = self._scene, None
        events: list[Event] = []
        for name, analyzer in self._analyzers.items():
            if isinstance(analyzer, SceneEditable) and scene is not None:
                self.current = name
                events += analyzer.change_scene(scene)
        return replace(result, events=(*result.events, *events))

    def finish(self) -> Iterator[tuple[Event, ...]]:
        """What each analyzer still has to report at the end of the stream."""
        for name, analyzer in self._analyzers.items():
            self.current = name
            yield tuple(analyzer.finish())

    def measures(self) -> dict[Measure, float]:
        """The current values of all analyzers and sinks."""
        measures: dict[Measure, float] = {}
        for part in self._measuring:
            measures.update(part.measures())
        return measures
