import numpy as np
import pytest

from vidan import ArrayFrame, ConfigError, Detections, Result, Tracks
from vidan.runtime.anonymize import Anonymizer
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker

NOISE = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
NONE = np.empty((0, 4), np.float32)


def result(boxes=NONE, tracks=NONE, *, time=0.0, labels=("person",), image=NOISE):
    boxes, tracks = np.float32(boxes).reshape(-1, 4), np.float32(tracks).reshape(-1, 4)
    return Result(
        ArrayFrame(image, time=time),
        Detections(boxes, np.full(len(boxes), 0.1, np.float32), np.zeros(len(boxes), np.int32)),
        Tracks(
            np.arange(1, len(tracks) + 1),
            tracks,
            np.ones(len(tracks), np.float32),
            np.zeros(len(tracks), np.int32),
            np.full(len(tracks), 9, np.int32),
            np.full(len(tracks), -1, np.int32),
        ),
        labels,
    )


def changed(given, anonymizer=None):
    """Left, top, right, bottom of the pixels that differ; None if none do."""
    image = (anonymizer or Anonymizer(given.labels)).apply(given).frame.rgb()
    rows, columns = np.nonzero((image != NOISE).any(axis=2))
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None


def test_the_head_of_a_person_is_pixelated_and_nothing_else():
    # Head: 0.3 of the height, 0.1 of width and head height around it: 96, 47, 144, 83; cells: 12.
    assert changed(result([[100, 50, 140, 150]])) == (96, 36, 144, 84)
    assert changed(result(tracks=[[100, 50, 140, 150]])) == (96, 36, 144, 84)
    # A wide box, as of somebody who sits: 0.6 of the width, so 90, 44, 210, 116; cells: 32.
    assert changed(result([[100, 50, 200, 150]])) == (64, 32, 224, 128)


def test_all_of_a_face_is_pixelated():
    face = result([[100, 50, 140, 100]], labels=("with_mask",))
    assert changed(face) == (72, 24, 168, 120)  # 92, 40, 148, 110 in cells of 24


def test_other_objects_and_parts_outside_of_the_image_are_left():
    given = result([[100, 50, 140, 100]], labels=("vehicle", "person"))
    assert changed(given) is None
    assert changed(result([[-50, -50, 10, 50], [290, 190, 400, 300]])) is not None


def cells_of(image, cell):
    """(rows * columns, cell * cell, 3) pixels, grouped by cell."""
    height, width, _ = image.shape
    parts = image.reshape(height // cell, cell, width // cell, cell, 3).swapaxes(1, 2)
    return parts.reshape(-1, cell * cell, 3)


def test_only_means_of_cells_are_left():
    given = result([[100, 50, 140, 100]], labels=("face",))
    image = Anonymizer(given.labels).apply(given).frame.rgb()[24:120, 72:168]
    original = cells_of(NOISE[24:120, 72:168], 24)
    means = original.mean(axis=1, keepdims=True)
    assert np.abs(cells_of(image, 24) - means).max() <= 0.5


def test_a_box_that_moves_over_a_face_at_rest_shows_no_more_of_it():
    anonymizer = Anonymizer(("face",))
    first = anonymizer.apply(result([[100, 50, 140, 100]], labels=("face",))).frame.rgb()
    for step in range(1, 4):
        box = [100 + step, 50, 140 + step, 100]
        image = anonymizer.apply(result([box], labels=("face",), time=step / 25)).frame.rgb()
        assert (image == first).all()


def test_cells_at_the_edge_of_the_image():
    given = result([[270, 170, 300, 200]], labels=("face",))
    image = Anonymizer(given.labels).apply(given).frame.rgb()
    left, top, right, bottom = changed(given)
    assert (right, bottom) == (300, 200)
    assert len(np.unique(image[top:, left:].reshape(-1, 3), axis=0)) <= 16


def test_every_view_of_the_image_is_pixelated():
    frame = Anonymizer(("face",)).apply(result([[100, 50, 140, 100]], labels=("face",))).frame
    assert frame.yuv() is None
    assert (frame.resized(300, 200) == frame.rgb()).all()
    assert (frame.crop((90, 40, 150, 110)).rgb() == frame.rgb()[40:110, 90:150]).all()
    crop = frame.resized_crop((92, 40, 148, 110), 56, 70)
    assert len(np.unique(crop.reshape(-1, 3), axis=0)) <= 16


def test_a_face_that_is_lost_stays_pixelated_for_a_while():
    anonymizer = Anonymizer(("face",))
    assert changed(result([[100, 50, 140, 100]], labels=("face",)), anonymizer)
    assert changed(result(time=0.4, labels=("face",)), anonymizer)
    assert changed(result(time=0.6, labels=("face",)), anonymizer) is None


def test_a_face_that_is_lost_beside_another_one_stays_pixelated():
    anonymizer = Anonymizer(("face",))
    pair = [[100, 48, 140, 96], [120, 48, 160, 96]]
    assert changed(result(pair, labels=("face",)), anonymizer) == (72, 24, 168, 120)
    one = result(pair[1:], time=0.1, labels=("face",))
    assert changed(one, anonymizer) == (72, 24, 168, 120)
    assert changed(one) == (96, 24, 168, 120)


def test_a_face_that_moves_leaves_no_part_of_its_last_place():
    anonymizer = Anonymizer(("face",))
    first = result([[100, 50, 140, 100]], labels=("face",))
    assert changed(first, anonymizer) == (72, 24, 168, 120)
    moved = result([[112, 50, 152, 100]], time=0.04, labels=("face",))
    assert changed(moved, anonymizer) == (72, 24, 168, 120)
    assert changed(moved) == (96, 24, 168, 120)


@pytest.mark.parametrize("size", [1, 4, 8, 12])
def test_a_face_of_a_few_pixels_is_pixelated(size):
    given = result([[102, 50, 102 + size, 50 + size]], labels=("face",))
    left, top, right, bottom = changed(given)
    image = Anonymizer(("face",)).apply(given).frame.rgb()[top:bottom, left:right]
    cells = cells_of(image, 4 if size < 12 else 6)
    assert len(cells) <= 25
    assert (cells == cells[:, :1]).all()


@pytest.mark.parametrize("label", ["motorcyclist", "worker", "human", "Persons", "safety_men"])
def test_words_for_people(label):
    assert changed(result([[100, 50, 140, 150]], labels=(label,)))


def test_which_labels_are_pixelated_is_logged(caplog):
    caplog.set_level("INFO")
    Anonymizer(("person", "vehicle", "face", "dog"))
    assert "images=blur: pixelating person, face, not vehicle, dog" in caplog.text
    caplog.clear()
    Anonymizer(("person", "face"))
    assert not caplog.text


@pytest.mark.parametrize(
    ("labels", "found"), [(("vehicle", "dog"), "vehicle, dog"), ((), "objects without labels")]
)
def test_a_detector_without_people_or_faces(labels, found):
    with pytest.raises(ConfigError, match=f"finds no people or faces, but {found}$"):
        Anonymizer(labels)


class People(FakeDetector):
    labels = ("person",)


def test_sinks_get_pixelated_frames_and_the_tracker_the_originals():
    class Tracker(FakeTracker):
        def update(self, frame, detections):
            seen.append(frame)
            return super().update(frame, detections)

    seen, sink = [], FakeSink()
    stream = Stream(FakeSource(3), Tracker(), {"out": sink}, images="blur")
    got = list(Pipeline(stream, People()))
    assert all(r.frame is not frame for r, frame in zip(got, seen, strict=True))
    assert {type(r.frame).__name__ for r in got} == {"AnonymousFrame"}
