"""What every analyzer must do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..events import Event
from ..interfaces import Analyzer, Measuring, Stateful
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

    @pytest.mark.parametrize("part", [0.1, 0.35, 0.5, 0.8, 0.95])
    def test_the_same_from_its_state_on(self, part: float, tmp_path: Path) -> None:
        """Stopped at any frame and restored from JSON, it reports the same events and values."""
        stopped, given = self.make(tmp_path), self.results()
        if not isinstance(stopped, Stateful):
            pytest.skip("it is not Stateful")
        cut = round(part * len(given))
        for result in given[:cut]:
            stopped.update(result)
        state = json.loads(json.dumps(stopped.state(), allow_nan=False))
        whole, rest = self.make(tmp_path), self.make(tmp_path)
        assert isinstance(rest, Stateful)
        for result in given[:cut]:
            whole.update(result)
        rest.restore(state)
        assert self._continued(rest, given[cut:]) == self._continued(whole, given[cut:])

    def _continued(self, analyzer: Analyzer, results: Sequence[Result]) -> Any:
        """The events, and the values after each frame."""
        values: list[Any] = []
        events: list[Event] = []
        for result in results:
            events += analyzer.update(result)
            values.append(dict(analyzer.measures()) if isinstance(analyzer, Measuring) else {})
        return [*events, *analyzer.finish()], values

    def test_counts_from_zero_repeat_no_id(self, tmp_path: Path) -> None:
        """After `reset_counts`, new events and intervals still have new ids."""
        analyzer, given = self.make(tmp_path), self.results()
        if not isinstance(analyzer, Stateful):
            pytest.skip("it is not Stateful")
        half = len(given) // 2
        before = {event.id for result in given[:half] for event in analyzer.update(result)}
        analyzer.reset_counts()
        after = [event for result in given[half:] for event in analyzer.update(result)]
        begun = [event.id for event in after if event.phase in ("start", "point")]
        assert len(set(begun)) == len(begun)
        assert not before & set(begun)

    def test_a_strange_state_is_an_error(self, tmp_path: Path) -> None:
        """A state of something else raises an error, rather than being half accepted."""
        analyzer = self.make(tmp_path)
        if not isinstance(analyzer, Stateful):
            pytest.skip("it is not Stateful")
        with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
            analyzer.restore({"something": "else"})

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
