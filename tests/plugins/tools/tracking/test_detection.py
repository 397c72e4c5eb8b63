"""Evaluation of whole pipelines: images, detector, tracker."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.plugins.detectors.models import BOXES, SIZE, toy_onnx
from vidan.boxes import xyxy_to_xywh
from vidan.errors import ConfigError, SourceError
from vidan_plugins.tools.tracking.commands import evaluate

from . import mot_files


def run(*overrides):
    """The metrics of sequence A."""
    assert evaluate(["data=data", *overrides, "run_dir=run"]) == 0
    return json.loads(Path("run/metrics.json").read_text())["metrics"]["A"]


def boxes_file(folder):
    (found,) = folder.glob("*/A/det/det.txt")
    return found


@pytest.fixture
def toy(here):
    """Purple images of a red and a blue object; options that detect them."""
    toy_onnx(here / "toy.onnx", weights=[[1, 0, 0], [0, 0, 1]])
    mot_files.images(here / "data" / "A", 20, SIZE, (200, 0, 200))
    (x, y, w, h), _ = xyxy_to_xywh(BOXES).tolist()
    mot_files.truth(
        here / "data" / "A" / "gt" / "gt.txt", [(f, 1, x, y, w, h) for f in range(1, 21)]
    )
    return ["detector=onnx", "detector.model=toy.onnx", "label=red"]


@pytest.fixture
def walkers(here):
    """People with images, and a detector that finds them, and a bicycle on each."""
    rows = mot_files.sequence(here / "data", "A")
    mot_files.images(here / "data" / "A", 20)
    both = [(r[0], -1, *r[2:], 0.9, number) for r in rows for number in (2, 1)]
    mot_files.write(here / "found.txt", both)
    return ["detector=mot", "detector.path=found.txt", "detector.label=[bicycle,person]"]


def test_only_tracks_of_the_label_are_scored(toy):
    red = run(*toy)
    assert (red["MOTA"], red["FP"], red["FN"]) == (pytest.approx(100), 0, 0)
    blue = run(*toy[:2], "label=blue")
    assert (blue["FP"], blue["FN"]) == (20, 20)


def test_the_tracker_gets_scores_on_the_scale_of_the_detector(toy):
    assert run(*toy, "detector.score_scale=[0.3,2]")["MOTA"] == pytest.approx(100)
    unsure = run(*toy, "detector.score_scale=[0.98,4]", "detector.threshold=0.1")
    assert (unsure["FP"], unsure["FN"]) == (0, 20)


def test_several_trackers_share_the_boxes_of_a_detector(walkers, here):
    first = run(*walkers, "detections=boxes")
    written = boxes_file(here / "boxes")
    before = written.stat().st_mtime_ns
    assert len(written.read_text().splitlines()) == 80
    assert run(*walkers, "detections=boxes", "tracker=sort")["MOTA"] == first["MOTA"]
    assert boxes_file(here / "boxes").stat().st_mtime_ns == before


def test_the_boxes_are_found_again_after_a_change_of_the_model_or_the_images(toy, here):
    run(*toy, "detections=boxes")
    toy_onnx(here / "toy.onnx", weights=[[0, 0, 1], [1, 0, 0]])
    assert run(*toy, "detections=boxes")["FP"] == 20
    mot_files.images(here / "data" / "A", 10, SIZE, (200, 0, 200))
    (here / "data" / "A" / "img1" / "000020.png").unlink()
    run(*toy, "detections=boxes")
    assert len(boxes_file(here / "boxes").read_text().splitlines()) == 38


def test_the_boxes_of_each_choice_of_options_have_a_folder(toy, here):
    run(*toy, "detections=boxes")
    run(*toy, "detections=boxes", "detector.classes=[red]")
    lines = sorted(len(f.read_text().splitlines()) for f in here.glob("boxes/*/A/det/det.txt"))
    assert lines == [20, 40]
    assert {folder.name.partition("-")[0] for folder in here.glob("boxes/*")} == {"toy"}


def test_an_interrupted_detection_is_not_used(toy, here):
    run(*toy)
    found = boxes_file(here / "run" / "detections")
    complete = found.read_text()
    found.rename(found.with_suffix(".part"))
    found.with_suffix(".part").write_text("1,-1,")
    run(*toy)
    assert found.read_text() == complete


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("label=persn", ConfigError, "label='persn': did you mean 'person'"),
        ("detector.path=nowhere.txt", SourceError, "nowhere.txt"),
        ("detector.pth=x", ConfigError, "unknown key 'pth' in 'detector': did you mean 'path'"),
        ("tracker.min_hits=0", ConfigError, "min_hits"),
        ("images=nowhere", SourceError, "there is no folder 'nowhere'"),
    ],
)
def test_errors_before_anything_is_detected(walkers, here, override, error, message):
    with pytest.raises(error, match=message):
        run(*walkers, override)
    assert not list(here.glob("**/det.txt"))[1:]


def test_a_sequence_without_images(walkers, here):
    (here / "data" / "A" / "img1").rename(here / "images")
    with pytest.raises(SourceError, match=r"'A' has no images: set images=<folder of <seq>/img1"):
        run(*walkers)


def test_images_of_another_size_than_the_ground_truth(walkers, here):
    mot_files.images(here / "data" / "A", 20, (240, 320))
    with pytest.raises(SourceError, match=r"images of \(320, 240\) px, but 'A' has ground truth"):
        run(*walkers)


def test_a_detector_that_finds_nothing(walkers):
    with pytest.raises(SourceError, match="mot finds nothing in the images of 'A'"):
        run(*walkers, "detector.min_score=0.95")


def test_one_video_for_two_sequences(walkers, here):
    mot_files.sequence(here / "data", "B")
    (here / "street.mp4").write_bytes(b"")
    with pytest.raises(ConfigError, match="is one video for 2 sequences: choose one by sequences="):
        run(*walkers, "images=street.mp4")


def test_the_size_of_the_images_is_learned_from_them(toy, here):
    run(*toy)
    facts = json.loads(next(here.glob("run/detections/*/A/detector.json")).read_text())
    assert (facts["frames"], facts["size"]) == (20, [SIZE[1], SIZE[0]])
    assert np.loadtxt(boxes_file(here / "run" / "detections"), delimiter=",")[:, 7].max() == 3
