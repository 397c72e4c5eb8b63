import numpy as np
import pytest

from vidan import ArrayFrame, ConfigError, Detections, Result, Tracks
from vidan.runtime.anonymize import CELLS, Anonymizer
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
    # Head: 0.3 of the height, 0.1 of width and head height around it.
    assert changed(result([[100, 50, 140, 150]])) == (96, 47, 144, 83)
    assert changed(result(tracks=[[100, 50, 140, 150]])) == (96, 47, 144, 83)
    # A wide box, as of somebody who sits: 0.6 of the width.
    assert changed(result([[100, 50, 200, 150]])) == (90, 44, 210, 116)


def test_all_of_a_face_is_pixelated():
    face = result([[100, 50, 140, 100]], labels=("with_mask",))
    assert changed(face) == (92, 40, 148, 110)


def test_other_objects_and_parts_outside_of_the_image_are_left():
    given = result([[100, 50, 140, 100]], labels=("vehicle", "person"))
    assert changed(given) is None
    assert changed(result([[-50, -50, 10, 50], [290, 190, 400, 300]])) is not None


def test_only_means_of_a_few_cells_are_left():
    given = result([[100, 50, 140, 100]], labels=("face",))
    other = NOISE.copy()
    block = other[40:110, 92:148]
    flat = Anonymizer(given.labels).apply(given).frame.rgb()[40:110, 92:148]
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) <= CELLS * CELLS
    # Shuffling the pixels of each cell changes nothing.
    rows, columns = (np.flatnonzero(np.diff(flat, axis=n).any(axis=(1 - n, 2))) for n in (0, 1))
    rng = np.random.default_rng(1)
    for top, bottom in zip([0, *rows + 1], [*rows + 1, 70], strict=True):
        for left, right in zip([0, *columns + 1], [*columns + 1, 56], strict=True):
            cell = block[top:bottom, left:right]
            cell[:] = rng.permutation(cell.reshape(-1, 3)).reshape(cell.shape)
    assert (other != NOISE).any()
    shuffled = result([[100, 50, 140, 100]], labels=("face",), image=other)
    assert (Anonymizer(given.labels).apply(shuffled).frame.rgb()[40:110, 92:148] == flat).all()


def test_every_view_of_the_image_is_pixelated():
    frame = Anonymizer(("face",)).apply(result([[100, 50, 140, 100]], labels=("face",))).frame
    assert frame.yuv() is None
    assert (frame.resized(300, 200) == frame.rgb()).all()
    assert (frame.crop((90, 40, 150, 110)).rgb() == frame.rgb()[40:110, 90:150]).all()
    assert (
        len(np.unique(frame.resized_crop((92, 40, 148, 110), 56, 70).reshape(-1, 3), axis=0)) <= 16
    )


def test_a_face_that_is_lost_stays_pixelated_for_a_while():
    anonymizer = Anonymizer(("face",))
    assert changed(result([[100, 50, 140, 100]], labels=("face",)), anonymizer)
    assert changed(result(time=0.4, labels=("face",)), anonymizer)
    assert changed(result(time=0.6, labels=("face",)), anonymizer) is None


def test_a_detector_without_people_or_faces():
    with pytest.raises(ConfigError, match="images=blur: the detector finds no people or faces"):
        Anonymizer(("vehicle",))


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
