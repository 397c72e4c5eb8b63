import itertools

import numpy as np
import pytest
from vidan_plugins.detectors.onnx import SHIPPED, OnnxDetector
from vidan_plugins.sources.video import VideoFile

from .conftest import ROOT
from .models import plain

# Middles of masked faces in mask_people.mp4 (538x372 px), by frame, as seen by eye.
MASKED = {
    210: [(49, 80), (239, 172)],
    350: [(114, 128), (292, 85)],
    490: [(222, 130)],
}


@pytest.fixture(scope="module")
def detector():
    if not (ROOT / "plugins/models" / SHIPPED).is_file():
        pytest.skip(f"{SHIPPED} is not in this tree")
    return OnnxDetector()


def test_is_small_and_knows_its_labels(detector):
    assert (ROOT / "plugins/models" / SHIPPED).stat().st_size < 20e6
    assert detector.labels == ("with_mask", "without_mask", "mask_weared_incorrect")


def test_finds_nothing_in_nothing(detector):
    assert [len(found) for found in detector.detect([plain(0), plain(128), plain(255)])] == [0] * 3


def test_finds_masked_faces_where_they_are(detector, data):
    source = VideoFile(str(data / "video/mask_people.mp4"))
    frames = itertools.islice(source, max(MASKED) + 1)
    for frame in (frame for frame in frames if frame.index in MASKED):
        (found,) = detector.detect([frame])
        labels = [detector.labels[i] for i in found.classes]
        for x, y in MASKED[frame.index]:
            x1, y1, x2, y2 = found.boxes.T
            at = np.flatnonzero((x1 < x) & (x < x2) & (y1 < y) & (y < y2))
            assert [labels[i] for i in at] == ["with_mask"], (frame.index, x, y)
    source.close()
