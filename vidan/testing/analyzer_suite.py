"""What every analyzer must do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..events import Event
from ..interfaces import Analyzer
from ..types import Detections, Result
from .parts import (
    ListSource,
    RecordingSink,
    TruthDetector,
    detections,
    frames,
    walkers,
)
from .parts import result as make_result
from .suite import EachBoxATrack, Suite, run_pipeline

NOTHING = detections()


class AnalyzerSuite(Suite[Analyzer]):
    """An analyzer. Override `check` to check its events, and `results` to provoke them."""

    def check(self, events: list[Event]) -> None:
        """Check the events of `results` and `finish`."""

    def results(self) -> list[Result]:
        """The input: people who walk, an empty scene, a gap, the people again."""
        walked = self.walk(1, 6, 40)
        boxes = [*walked[:20], *[NOTHING] * 5, *walked[20:]]
        return [make_result(n + 30 * (n > 30), found.boxes) for n, found in enumerate(boxes)]

    def walk(self, seed: int, people: int, frames: int) -> list[Detections]:
        """See `walkers`."""
        return walkers(seed, people, frames, missing=0.0)

    def run(self, analyzer: Analyzer, results: Sequence[Result]) -> list[Event]:
        """All events, each checked."""
        events = [event for result in results for event in analyzer.update(result)]
        events += analyzer.finish()
        ended: set[str] = set()
        for event in events:
            assert isinstance(event, Event)
            assert json.loads(json.dumps(event.record())) == event.record()
            assert event.id not in ended, "an event after the end of its interval"
            if event.phase in ("end", "point"):
                ended.add(event.id)
        return events

    def test_has_the_shape_of_an_analyzer(self, tmp_path: Path) -> None:
        """`update` and `finish`."""
        assert isinstance(self.make(tmp_path), Analyzer)

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        """Streams without frames and without objects."""
        self.run(self.make(tmp_path), [])
        self.run(self.make(tmp_path), [make_result(n) for n in range(30)])

    def test_events_are_well_formed(self, tmp_path: Path) -> None:
        """They can be written as JSON, and none follows the end of its interval."""
        self.check(self.run(self.make(tmp_path), self.results()))

    def test_the_same_from_run_to_run(self, tmp_path: Path) -> None:
        """The same events, ids included: `vidan resume` depends on it."""
        first = self.run(self.make(tmp_path), self.results())
        assert first == self.run(self.make(tmp_path), self.results())

    def test_two_analyzers_side_by_side(self, tmp_path: Path) -> None:
        """Each has its own state."""
        given = self.results()
        alone = self.run(self.make(tmp_path), given)
        one, other = self.make(tmp_path), self.make(tmp_path)
        beside: list[Event] = []
        for number, result in enumerate(given):
            beside += one.update(result)
            other.update(make_result(number, [[5, 5, 50, 90]]))
        assert alone == [*beside, *one.finish()]

    def test_results_are_not_changed(self, tmp_path: Path) -> None:
        """Other components read the same arrays."""
        given = self.results()
        before = [result.tracks.boxes.copy() for result in given]
        self.run(self.make(tmp_path), given)
        for result, boxes in zip(given, before, strict=True):
            np.testing.assert_array_equal(result.tracks.boxes, boxes)

    def test_runs_in_a_pipeline(self, tmp_path: Path) -> None:
        """Its events reach a sink with the frame they became known in."""
        given = frames(12)
        truth = [detections([[10 + 2 * n, 50, 30 + 2 * n, 90]]) for n in range(12)]
        sink, analyzer = RecordingSink(), self.make(tmp_path)
        run_pipeline(
            ListSource(given), TruthDetector(truth), EachBoxATrack(), sink, analyzer=analyzer
        )
        again = self.make(tmp_path)
        known = [list(again.update(replace(r, events=(), shapes=()))) for r in sink.results]
        assert [list(r.events) for r in sink.results] == known
