"""What every tracker must do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..interfaces import Tracker
from ..types import Detections, Tracks
from .parts import (
    ListSource,
    RecordingSink,
    TruthDetector,
    blank,
    detections,
    frames,
    walkers,
)
from .suite import Suite, run_pipeline

NOTHING = detections()


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
        run_pipeline(ListSource(given), TruthDetector(truth), self.make(tmp_path), sink)
        assert [r.frame.index for r in sink.results] == list(range(20))


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
