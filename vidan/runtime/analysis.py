"""The analyzers of one stream, called in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..events import Event, Measure
from ..interfaces import Analyzer, Measuring, Visual
from ..types import Result


class Analysis:
    """Calls the analyzers of a stream, each of which sees the events of those before it.

    Args:
        analyzers: by name, in the order in which they are called.

    Attributes:
        current: name of the analyzer that was called last, for failures; "" if set to that since.
    """

    def __init__(self, analyzers: Mapping[str, Analyzer]) -> None:
        self.current = ""
        self._analyzers = dict(analyzers)
        self._measuring = [a for a in self._analyzers.values() if isinstance(a, Measuring)]
        self._visual = {n: a for n, a in self._analyzers.items() if isinstance(a, Visual)}

    def update(self, result: Result) -> Result:
        """The result with what the analyzers report for it."""
        if not self._analyzers:
            return result
        started = time.perf_counter()
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

    def finish(self) -> Iterator[tuple[Event, ...]]:
        """What each analyzer still has to report at the end of the stream."""
        for name, analyzer in self._analyzers.items():
            self.current = name
            yield tuple(analyzer.finish())

    def measures(self) -> dict[Measure, float]:
        """The current values of all analyzers."""
        measures: dict[Measure, float] = {}
        for analyzer in self._measuring:
            measures.update(analyzer.measures())
        return measures
