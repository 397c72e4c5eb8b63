"""What every sink must do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..events import APPEARED, Event
from ..interfaces import EventSink, Sink
from ..types import Result
from .parts import (
    ListSource,
    RecordingSink,
    TruthDetector,
    detections,
    frames,
)
from .parts import result as make_result
from .suite import EachBoxATrack, Suite, in_thread, run_pipeline


class SinkSuite(Suite[Sink | EventSink]):
    """A sink of results, of events, or of both. Override `check` to check its output."""

    def check(self, tmp_path: Path, results: list[Result]) -> None:
        """Check the outputs in `tmp_path` after these results and `close`."""

    def results(self) -> list[Result]:
        """The input: nothing, one object and its event, several, an uncertain class, a gap."""
        appeared = Event("test/1", APPEARED, "start", "test", "presence", 1 / 30, 1, 1, "thing")
        return [
            make_result(0),
            replace(make_result(1, [[10, 20, 60, 90]]), events=(appeared,)),
            make_result(
                2, [[12.0, 20.0, 62.0, 90.0], [100.5, 50.25, 140.0, 110.0]], classes=[-1, 1]
            ),
            make_result(9, [[-20, -10, 30, 40], [300, 200, 400, 300], [5, 5, 5, 5]]),
        ]

    def test_has_the_shape_of_a_sink(self, tmp_path: Path) -> None:
        """`lossless`, `write` and `close`, or `emit` and `close`."""
        sink = self.make(tmp_path)
        try:
            assert isinstance(sink, Sink | EventSink)
            assert not isinstance(sink, Sink) or isinstance(sink.lossless, bool)
        finally:
            sink.close()

    def test_takes_results(self, tmp_path: Path) -> None:
        """All kinds of results, which stay unchanged."""
        given = self.results()
        before = [(r.tracks.boxes.copy(), r.frame.rgb().copy()) for r in given]
        sink = self.make(tmp_path)
        for each in given:
            _publish(sink, each)
        sink.close()
        for each, (boxes, rgb) in zip(given, before, strict=True):
            np.testing.assert_array_equal(each.tracks.boxes, boxes)
            np.testing.assert_array_equal(each.frame.rgb(), rgb)
        self.check(tmp_path, given)

    def test_works_in_a_thread_of_its_own(self, tmp_path: Path) -> None:
        """Made in one thread, used and closed in another, as the pipeline does it."""
        sink, given = self.make(tmp_path), self.results()

        def use() -> None:
            for each in given:
                _publish(sink, each)
            sink.close()

        in_thread(use)
        self.check(tmp_path, given)

    def test_can_be_closed_without_results_and_twice(self, tmp_path: Path) -> None:
        """As happens after an error before the first frame."""
        sink = self.make(tmp_path)
        sink.close()
        sink.close()

    def test_runs_in_a_pipeline(self, tmp_path: Path) -> None:
        """Beside another sink, which gets everything."""
        given = frames(12)
        sink, beside = self.make(tmp_path), RecordingSink()
        truth = [detections([[10 + 2 * n, 50, 30 + 2 * n, 90]]) for n in range(12)]
        run_pipeline(ListSource(given), TruthDetector(truth), EachBoxATrack(), sink, beside)
        assert len(beside.results) == 12


def _publish(sink: Sink | EventSink, result: Result) -> None:
    """Give a sink a result and its events, as the pipeline does."""
    if isinstance(sink, EventSink) and result.events:
        sink.emit(result.events)
    if isinstance(sink, Sink):
        sink.write(result)
