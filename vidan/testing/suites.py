"""What every source, detector, tracker, analyzer and sink must do, as test classes to inherit."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pytest

from ..events import APPEARED, Event
from ..interfaces import Analyzer, Detector, EventSink, Sink, Source, Tracker
from ..runtime.pipeline import Pipeline
from ..runtime.stream import Stream
from ..types import Detections, Frame, Result, Tracks
from .parts import (
    ListSource,
    RecordingSink,
    TruthDetector,
    blank,
    detections,
    frame,
    frames,
    walkers,
)
from .parts import result as make_result

Component = TypeVar("Component")
NOTHING = detections()
BORDER = 1.0
"""How far a box may lie outside the image because of rounding, px."""


class Suite(Generic[Component]):
    """Base of the suites: `make` returns a fresh component."""

    def make(self, tmp_path: Path) -> Component:
        """A fresh component; `tmp_path` is an empty folder, the same for all calls of a test."""
        raise NotImplementedError(f"{type(self).__name__}.make must return the component to test")


class SourceSuite(Suite[Source]):
    """A source. Override `limit` if its first frames take long.

    Attributes:
        limit: frames of an endless or long source that are read.
    """

    limit = 20

    def read(self, source: Source) -> list[Frame]:
        """The first frames, with whatever `next` raises."""
        return list(itertools.islice(source, self.limit))

    @pytest.fixture
    def taken(self, tmp_path: Path) -> list[Frame]:
        """Frames of a source that was closed again."""
        source = self.make(tmp_path)
        try:
            return self.read(source)
        finally:
            source.close()

    def test_has_the_shape_of_a_source(self, tmp_path: Path) -> None:
        """`live`, `frames`, iteration and `close`."""
        source = self.make(tmp_path)
        try:
            assert isinstance(source, Source)
            assert isinstance(source.live, bool)
            assert source.frames is None or (type(source.frames) is int and source.frames >= 0)
        finally:
            source.close()

    def test_number_of_frames_is_right(self, tmp_path: Path) -> None:
        """`frames` is right, or None where it cannot be known."""
        source = self.make(tmp_path)
        try:
            known = source.frames
            count = sum(1 for _ in itertools.islice(source, self.limit))
        finally:
            source.close()
        assert count > 0, "a suite needs a source that has frames"
        if known is not None:
            assert min(known, self.limit) == count

    def test_frames_are_in_order(self, taken: list[Frame]) -> None:
        """`index` and `captured` increase, `time` never decreases, one stream name."""
        assert taken[0].index >= 0
        for earlier, later in itertools.pairwise(taken):
            assert later.index > earlier.index
            assert later.time >= earlier.time
            assert later.captured >= earlier.captured
        assert taken[-1].captured <= time.monotonic()
        assert {type(each.stream) for each in taken} == {str}
        assert len({each.stream for each in taken}) == 1

    def test_images_have_the_size_of_their_frames(self, taken: list[Frame]) -> None:
        """(height,width,3) uint8, read-only, and made once."""
        for each in taken[:3]:
            rgb = each.rgb()
            assert rgb.shape == (each.height, each.width, 3)
            assert rgb.dtype == np.uint8
            assert not rgb.flags.writeable
            assert each.rgb() is rgb

    def test_images_can_be_scaled(self, taken: list[Frame]) -> None:
        """To any size, before and after the full image was made."""
        for width, height in ((32, 24), (1, 1), (65, 33)):
            scaled = taken[0].resized(width, height)
            assert scaled.shape == (height, width, 3)
            assert scaled.dtype == np.uint8
        full = taken[0].rgb()
        scaled = taken[0].resized(taken[0].width, taken[0].height)
        # The two ways may round differently, and chroma may be interpolated differently.
        assert np.abs(scaled.astype(int) - full).mean() < 8

    def test_a_frame_outlives_the_next(self, tmp_path: Path) -> None:
        """Its pixels are its own: no buffer that the next frame writes into."""
        source = self.make(tmp_path)
        try:
            kept = self.read(source)
            early = kept[0].resized(32, 24).copy()
        finally:
            source.close()
        again = self.make(tmp_path)
        try:
            first = next(iter(again)).resized(32, 24)
        finally:
            again.close()
        np.testing.assert_array_equal(kept[0].resized(32, 24), early)
        if not again.live:
            np.testing.assert_array_equal(first, early)

    def test_a_frame_serves_several_threads(self, taken: list[Frame]) -> None:
        """The same pixels for all who ask at once."""
        with ThreadPoolExecutor(4) as pool:
            images = list(pool.map(lambda _: taken[0].rgb(), range(8)))
        assert all(image is images[0] for image in images)

    def test_can_be_closed_at_any_time(self, tmp_path: Path) -> None:
        """Before the first frame, in the middle, and twice."""
        source = self.make(tmp_path)
        source.close()
        source.close()
        source = self.make(tmp_path)
        stream = iter(source)
        next(stream)
        source.close()
        source.close()

    def test_runs_in_a_pipeline(self, tmp_path: Path) -> None:
        """Every frame arrives, or is counted as dropped if the source is live."""
        sink, source = RecordingSink(), self.make(tmp_path)
        stats = _run(source, TruthDetector([]), _EachItsOwn(), sink, max_frames=self.limit)
        summary = stats.summary()
        assert len(sink.results) + summary["dropped"] > 0
        if not source.live:
            assert summary["dropped"] == 0


class DetectorSuite(Suite[Detector]):
    """A detector. Override `frames` with frames in which it finds something.

    Attributes:
        deterministic: whether the same image gives the same boxes.
        finds: whether it is expected to find something in `frames`.
    """

    deterministic = True
    finds = False

    def frames(self) -> list[Frame]:
        """A few frames, more than one."""
        return list(frames(3))

    @pytest.fixture
    def detector(self, tmp_path: Path) -> Any:
        """A detector that is closed after the test."""
        made = self.make(tmp_path)
        yield made
        made.close()

    def test_has_the_shape_of_a_detector(self, detector: Detector) -> None:
        """`labels`, `detect` and `close`."""
        assert isinstance(detector, Detector)
        assert isinstance(detector.labels, tuple)
        assert all(isinstance(label, str) for label in detector.labels)

    def test_answers_each_frame(self, detector: Detector) -> None:
        """Detections for each frame, in order, inside the image, of classes that have labels."""
        given = self.frames()
        found = detector.detect(given)
        assert len(found) == len(given)
        for each, boxes in zip(given, found, strict=True):
            assert isinstance(boxes, Detections)
            size = np.array([each.width, each.height] * 2, np.float32)
            assert (boxes.boxes >= -BORDER).all()
            assert (boxes.boxes <= size + BORDER).all()
            assert ((boxes.classes >= 0) & (boxes.classes < len(detector.labels))).all()
        if self.finds:
            assert any(len(boxes) for boxes in found)

    def test_no_frames_no_detections(self, detector: Detector) -> None:
        """An empty batch is answered by an empty list."""
        assert detector.detect([]) == []

    def test_a_batch_is_its_frames(self, detector: Detector) -> None:
        """One frame at a time gives what the batch gives."""
        given = self.frames()
        together = detector.detect(given)
        alone = [detector.detect([each])[0] for each in given]
        if self.deterministic:
            assert [len(boxes) for boxes in together] == [len(boxes) for boxes in alone]
            for one, other in zip(together, alone, strict=True):
                np.testing.assert_allclose(one.boxes, other.boxes, atol=0.1)
                np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
                np.testing.assert_array_equal(one.classes, other.classes)

    def test_the_same_again(self, detector: Detector) -> None:
        """The same images give the same detections, and a detector keeps no state."""
        if not self.deterministic:
            pytest.skip("the detector is not deterministic, as its suite says")
        given = self.frames()
        first = detector.detect(given)
        detector.detect(list(reversed(given)))
        for one, other in zip(first, detector.detect(given), strict=True):
            np.testing.assert_array_equal(one.boxes, other.boxes)
            np.testing.assert_array_equal(one.scores, other.scores)

    def test_several_threads_at_once(self, detector: Detector) -> None:
        """As `pipeline.workers=4` does it."""
        given = self.frames()
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: detector.detect(given), range(8)))
        counts = {tuple(len(boxes) for boxes in answer) for answer in answers}
        assert len(counts) == 1 or not self.deterministic

    @pytest.mark.parametrize("size", [(1, 1), (7, 301), (301, 7)])
    def test_images_of_odd_shapes(self, detector: Detector, size: tuple[int, int]) -> None:
        """Whatever a camera or a folder may hold."""
        (found,) = detector.detect([frame(0, width=size[0], height=size[1])])
        assert isinstance(found, Detections)

    def test_can_be_closed_twice(self, tmp_path: Path) -> None:
        """The second time does nothing."""
        made = self.make(tmp_path)
        made.close()
        made.close()

    def test_runs_in_a_pipeline(self, tmp_path: Path) -> None:
        """Every frame comes out, in order."""
        sink, given = RecordingSink(), self.frames()
        _run(ListSource(given), self.make(tmp_path), _EachItsOwn(), sink, workers=2)
        assert [r.frame.index for r in sink.results] == [each.index for each in given]


class TrackerSuite(Suite[Tracker]):
    """A tracker.

    Attributes:
        features: length of the appearance vectors it is given; 0 for none.
        memory: frames without detections after which every track has ended.
        follows: whether a person who walks in a straight line keeps one id.
    """

    features = 0
    memory = 150
    follows = True

    def walk(self, seed: int, people: int, count: int, **more: Any) -> list[Detections]:
        """See `walkers`."""
        return walkers(seed, people, count, features=self.features, **more)

    def follow(
        self, tracker: Tracker, given: Sequence[Detections], indices: Sequence[int] | None = None
    ) -> list[Tracks]:
        """The tracks of each frame, each checked."""
        found = []
        for index, boxes in zip(indices or range(len(given)), given, strict=True):
            tracks = tracker.update(blank(index, width=1920, height=1080), boxes)
            _check_tracks(tracks, boxes)
            found.append(tracks)
        return found

    def test_has_the_shape_of_a_tracker(self, tmp_path: Path) -> None:
        """`update`."""
        assert isinstance(self.make(tmp_path), Tracker)

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        """No detections, no tracks."""
        tracks = self.follow(self.make(tmp_path), [NOTHING] * 30)
        assert [len(t) for t in tracks] == [0] * 30

    def test_a_single_frame(self, tmp_path: Path) -> None:
        """At most as many tracks as boxes."""
        (tracks,) = self.follow(self.make(tmp_path), self.walk(1, 5, 1, missing=0.0))
        assert len(tracks) <= 5

    def test_a_walker_keeps_its_id(self, tmp_path: Path) -> None:
        """Twelve people, two seconds, no misses: twelve ids."""
        tracks = self.follow(self.make(tmp_path), self.walk(2, 12, 60, missing=0.0))
        if self.follows:
            assert len(tracks[-1]) == 12
            assert len({i for t in tracks for i in t.ids.tolist()}) == 12

    def test_a_scene_that_is_empty_for_a_while(self, tmp_path: Path) -> None:
        """No matched detection where there was none to match."""
        given = self.walk(3, 12, 60)
        given[20:40] = [NOTHING] * 20
        tracks = self.follow(self.make(tmp_path), given)
        assert all((t.detection == -1).all() for t in tracks[20:40])
        if self.follows:
            assert (
                min(len(tracks[19]), len(tracks[-1])) > 6
            )  # a miss may hide an object for a while

    def test_a_thousand_boxes_in_a_frame(self, tmp_path: Path) -> None:
        """Each at most once."""
        tracks = self.follow(self.make(tmp_path), self.walk(4, 1000, 4, missing=0.0))
        if self.follows:
            assert len(tracks[-1]) > 700

    @pytest.mark.parametrize("gap", [3, 200, 10**7])
    def test_gaps_in_the_stream(self, tmp_path: Path, gap: int) -> None:
        """Frames may be missing; boxes stay finite."""
        indices = [k + gap * (k >= 20) for k in range(40)]
        tracks = self.follow(self.make(tmp_path), self.walk(5, 12, 40), indices)
        if self.follows:
            assert min(len(tracks[19]), len(tracks[-1])) > 6

    def test_boxes_without_area_and_outside_the_image(self, tmp_path: Path) -> None:
        """Whatever `Detections` lets through."""
        box = [[0, 0, 0, 0], [-50, -50, 10, 10], [1900, 1000, 4000, 4000], [5, 5, 5, 50]]
        features = np.ones((4, self.features)) if self.features else None
        self.follow(self.make(tmp_path), [detections(box, features=features)] * 8)

    def test_objects_at_the_border_of_the_image(self, tmp_path: Path) -> None:
        """Both are tracked as long as they are detected."""
        steps = [[[1800 + 6 * k, 500, 1850 + 6 * k, 600], [-30, 980, 20, 1100]] for k in range(20)]
        features = np.eye(2, self.features) if self.features else None
        given = [detections(boxes, features=features) for boxes in steps]
        tracks = self.follow(self.make(tmp_path), given)
        if self.follows:
            assert all(len(t) == 2 for t in tracks[5:])

    def test_two_trackers_side_by_side(self, tmp_path: Path) -> None:
        """Each has its own state."""
        left, right = self.walk(6, 8, 30), self.walk(7, 8, 30)
        alone = self.follow(self.make(tmp_path), left)
        one, other = self.make(tmp_path), self.make(tmp_path)
        beside = []
        for index, (a, b) in enumerate(zip(left, right, strict=True)):
            beside.append(one.update(blank(index, width=1920, height=1080), a))
            other.update(blank(index, width=1920, height=1080), b)
        assert _same(alone, beside)

    def test_the_same_from_run_to_run(self, tmp_path: Path) -> None:
        """To the bit."""
        given = self.walk(8, 12, 40, missing=0.2)
        first = self.follow(self.make(tmp_path), given)
        assert _same(first, self.follow(self.make(tmp_path), given))

    def test_ids_are_never_reused(self, tmp_path: Path) -> None:
        """An object that appears long after all tracks have ended is a new one."""
        given = self.walk(9, 3, 10, missing=0.0) + [NOTHING] * self.memory
        tracker = self.make(tmp_path)
        runs = []
        for number in range(3):
            indices = range(number * len(given), (number + 1) * len(given))
            tracks = self.follow(tracker, given, indices)
            runs.append({i for t in tracks for i in t.ids.tolist()})
        assert not runs[0] & runs[1]
        assert not (runs[0] | runs[1]) & runs[2]

    def test_runs_in_a_pipeline(self, tmp_path: Path) -> None:
        """With every frame in order."""
        given = frames(20)
        truth = [
            detections(
                [[10 + 2 * n, 50, 30 + 2 * n, 90]],
                features=np.ones((1, self.features)) if self.features else None,
            )
            for n in range(20)
        ]
        sink = RecordingSink()
        _run(ListSource(given), TruthDetector(truth), self.make(tmp_path), sink)
        assert [r.frame.index for r in sink.results] == list(range(20))


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
        _run(ListSource(given), TruthDetector(truth), _EachItsOwn(), sink, analyzer=analyzer)
        again = self.make(tmp_path)
        known = [list(again.update(replace(r, events=(), shapes=()))) for r in sink.results]
        assert [list(r.events) for r in sink.results] == known


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

        _in_thread(use)
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
        _run(ListSource(given), TruthDetector(truth), _EachItsOwn(), sink, beside)
        assert len(beside.results) == 12


def _publish(sink: Sink | EventSink, result: Result) -> None:
    """Give a sink a result and its events, as the pipeline does."""
    if isinstance(sink, EventSink) and result.events:
        sink.emit(result.events)
    if isinstance(sink, Sink):
        sink.write(result)


class _EachItsOwn:
    """A tracker for tests of other kinds: row n of the detections is track n + 1."""

    def update(self, frame: Frame, detections: Detections) -> Tracks:  # noqa: ARG002
        n = len(detections)
        return Tracks(
            np.arange(1, n + 1, dtype=np.int64),
            detections.boxes,
            detections.scores,
            detections.classes,
            np.zeros(n, np.int32),
            np.arange(n, dtype=np.int32),
        )


def _check_tracks(tracks: Tracks, given: Detections) -> None:
    """What holds for every answer of a tracker."""
    assert isinstance(tracks, Tracks)  # which checks shapes, finite boxes and unique ids
    matched = tracks.detection[tracks.detection >= 0].tolist()
    assert len(set(matched)) == len(matched), "a detection belongs to one track"
    assert all(row < len(given) for row in matched)
    assert (tracks.detection >= -1).all()
    assert ((tracks.misses == 0) == (tracks.detection >= 0)).all(), "misses are 0 where matched"
    assert (tracks.ids > 0).all()


def _same(one: Sequence[Tracks], other: Sequence[Tracks]) -> bool:
    """Whether two lists of tracks are equal to the bit."""
    fields = ("ids", "boxes", "scores", "classes", "misses", "detection")
    return all(
        np.array_equal(getattr(a, f), getattr(b, f))
        for a, b in zip(one, other, strict=True)
        for f in fields
    )


def _run(
    source: Source,
    detector: Detector,
    tracker: Tracker,
    *sinks: Sink | EventSink,
    analyzer: Analyzer | None = None,
    max_frames: int | None = None,
    workers: int = 1,
) -> Any:
    named = {f"sink{n}": sink for n, sink in enumerate(sinks)}
    analyzers = {} if analyzer is None else {"analyzer": analyzer}
    stream = Stream(source, tracker, named, analyzers, max_frames=max_frames)
    return Pipeline(stream, detector, workers=workers).run()


def _in_thread(function: Callable[[], None]) -> None:
    """Run a function in a thread; what it raises is raised here."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
