"""What every detector must do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ..interfaces import Detector
from ..types import Detections, Frame
from .parts import (
    ListSource,
    RecordingSink,
    frame,
    frames,
)
from .suite import EachBoxATrack, Suite, run_pipeline

BORDER = 1.0
"""How far a box may lie outside the image because of rounding, px."""


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
        run_pipeline(ListSource(given), self.make(tmp_path), EachBoxATrack(), sink, workers=2)
        assert [r.frame.index for r in sink.results] == [each.index for each in given]
