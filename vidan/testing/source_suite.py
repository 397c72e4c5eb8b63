"""What every source must do."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ..interfaces import Source
from ..types import Frame
from .parts import (
    RecordingSink,
    TruthDetector,
)
from .suite import EachBoxATrack, Suite, run_pipeline


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
        stats = run_pipeline(
            source, TruthDetector([]), EachBoxATrack(), sink, max_frames=self.limit
        )
        summary = stats.summary()
        assert len(sink.results) + summary["dropped"] > 0
        if not source.live:
            assert summary["dropped"] == 0
