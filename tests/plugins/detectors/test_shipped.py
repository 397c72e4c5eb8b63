import itertools
import warnings
from pathlib import Path

import numpy as np
import pytest

from vidan.boxes import iou
from vidan.config.build import build
from vidan.config.compose import compose
from vidan.execution.settings import RunSettings
from vidan.support.score_scale import COMMON, ScoreScale
from vidan_plugins.detectors.onnx import SHIPPED, OnnxDetector
from vidan_plugins.sources.ffmpeg.file import VideoFile

from .models import noise, plain

ROOT = Path(__file__).parents[3]

# Centers of masked faces in mask_people.mp4 (538x372 px), by frame, as seen by eye.
MASKED = {
    210: [(49, 80), (239, 172)],
    350: [(114, 128), (292, 85)],
    490: [(222, 130)],
}


# Centers of objects in a frame of two videos, as seen by eye.
STREET = [
    ("video/MOT16-09.mp4", 150, "person", [(1067, 644), (1381, 595)]),  # 1920x1080 px
    ("video/car-detection.mp4", 210, "vehicle", [(155, 268), (393, 242)]),  # 768x432 px
]


@pytest.fixture(scope="module", params=[None, "facemask_d0"])
def detector(request):
    if not (ROOT / "plugins/models" / SHIPPED).is_file():
        pytest.skip(f"{SHIPPED} is not in this tree")
    return OnnxDetector(request.param)


def test_the_model_is_small_and_has_labels(detector):
    assert sum(file.stat().st_size for file in (ROOT / "plugins/models").iterdir()) < 32e6
    assert detector.labels == ("with_mask", "without_mask", "mask_weared_incorrect")


def test_blank_images_have_no_detections(detector):
    assert [len(found) for found in detector.detect([plain(0), plain(128), plain(255)])] == [0] * 3


@pytest.mark.parametrize("model", [None, "facemask_lite0", "facemask_d0"])
def test_a_batch_has_the_results_of_single_frames(model, accelerated):
    lenient = OnnxDetector(model, threshold=0.02, backend="onnxruntime")
    assert lenient.batch > 1
    images = [noise(seed, 640, 480) for seed in range(3)]
    for image, found in zip(images, lenient.detect(images), strict=True):
        (alone,) = lenient.detect([image])
        sure = 0.02 + 1e-4  # a score near the threshold may pass in only one of them
        ours, theirs = alone[alone.scores > sure], found[found.scores > sure]
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.05)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-4)
        np.testing.assert_array_equal(ours.classes, theirs.classes)


@pytest.fixture
def frames(data):
    """The frames above of the video."""
    source = VideoFile(str(data / "video/mask_people.mp4"))
    every = itertools.islice(source, max(MASKED) + 1)
    yield [frame for frame in every if frame.index in MASKED]
    source.close()


def test_masked_faces_are_found(detector, frames):
    for frame, found in zip(frames, detector.detect(frames), strict=True):
        labels = [detector.labels[i] for i in found.classes]
        for x, y in MASKED[frame.index]:
            x1, y1, x2, y2 = found.boxes.T
            at = np.flatnonzero((x1 < x) & (x < x2) & (y1 < y) & (y < y2))
            assert {labels[i] for i in at} == {"with_mask"}, (frame.index, x, y)


@pytest.mark.parametrize(("video", "index", "label", "centers"), STREET)
def test_people_and_vehicles_are_found(data, video, index, label, centers):
    settings = RunSettings.from_config(compose(["detector=people"]))
    detector = build("detector", settings.components["detector"])
    source = VideoFile(str(data / video))
    frame = next(itertools.islice(source, index, None))
    (found,) = detector.detect([frame])
    for x, y in centers:
        x1, y1, x2, y2 = found.boxes.T
        at = np.flatnonzero((x1 < x) & (x < x2) & (y1 < y) & (y < y2))
        assert {detector.labels[found.classes[i]] for i in at} == {label}, (x, y)
    detector.close()
    source.close()


def test_the_model_of_people_has_labels_and_finds_nothing_in_blank_images():
    detector = OnnxDetector("people_lite0_int8")
    assert detector.labels == ("person", "bicycle", "motorcycle", "vehicle")
    assert [len(f) for f in detector.detect([plain(0), plain(128), plain(255)])] == [0] * 3


def unmatched(ones, others):
    """Scores of detections without an equal among the others, within half precision."""
    overlap = iou(ones.boxes, others.boxes)
    apart = np.abs(ones.scores[:, None] - others.scores[None])
    same = ones.classes[:, None] == others.classes[None]
    return ones.scores[~((overlap > 0.95) & (apart < 0.01) & same).any(axis=1)]


@pytest.mark.slow
def test_the_float_model_agrees_with_the_savedmodel_of_its_weights(frames, tmp_path):
    detector = OnnxDetector("facemask_lite0", backend="onnxruntime")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow and Keras
        pytest.importorskip("keras", reason="needs the extra train")
        from vidan_plugins.detectors.savedmodel import SavedModelDetector
        from vidan_training.export.command import main

        main([f"savedmodel={tmp_path / 'shipped'}"])
        other = SavedModelDetector(str(tmp_path / "shipped"))
    assert other.labels == detector.labels
    for ours, theirs in zip(detector.detect(frames), other.detect(frames), strict=True):
        # A score near the threshold may pass in only one of them.
        sure = min(ours.scores.min(), theirs.scores.min()) + 0.01
        assert (unmatched(ours, theirs) < sure).all()
        assert (unmatched(theirs, ours) < sure).all()


def test_the_default_models_know_the_scale_of_their_scores():
    detector = OnnxDetector("people_lite0_int8")
    assert detector.score_scale == ScoreScale(0.579, 2.4)
    assert OnnxDetector("people_lite0_int8", score_scale=[0.5, 1]).score_scale == COMMON
    assert OnnxDetector().score_scale == ScoreScale(0.61, 2.16)
    assert OnnxDetector("facemask_d0").score_scale is None
