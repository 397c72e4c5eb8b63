import threading

import numpy as np
import pytest

from vidan import Detections, Result, Tracks

from .fakes import frame


def detections(n=2, **changed):
    values = {
        "boxes": np.tile(np.array([0, 0, 4, 4], np.float32), (n, 1)),
        "scores": np.full(n, 0.5, np.float32),
        "classes": np.zeros(n, np.int32),
    }
    return Detections(**(values | changed))


def tracks(n=2, **changed):
    values = {
        "ids": np.arange(n, dtype=np.int64),
        "boxes": np.tile(np.array([0, 0, 4, 4], np.float32), (n, 1)),
        "scores": np.full(n, 0.5, np.float32),
        "classes": np.zeros(n, np.int32),
        "misses": np.zeros(n, np.int32),
        "detection": np.arange(n, dtype=np.int32),
    }
    return Tracks(**(values | changed))


@pytest.mark.parametrize("make", [detections, tracks])
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("boxes", np.zeros((2, 4)), r"boxes: expected \(N,4\) float32, got \(2,4\) float64"),
        ("boxes", np.zeros(8, np.float32), r"boxes: expected \(N,4\) float32, got \(8\) float32"),
        ("boxes", np.array([[4, 0, 0, 4]] * 2, np.float32), "x1 <= x2.*row 0"),
        ("boxes", np.array([[0, 0, 4, 4], [0, 0, np.nan, 4]], np.float32), "finite.*row 1"),
        ("scores", np.zeros(3, np.float32), r"scores: expected \(2\) float32, got \(3\)"),
        ("classes", np.zeros(2, np.int64), r"classes: expected \(2\) int32, got \(2\) int64"),
    ],
)
def test_a_wrong_field_is_named(make, field, value, message):
    with pytest.raises(ValueError, match=message):
        make(**{field: value})


def test_lists_are_refused():
    with pytest.raises(TypeError, match=r"Detections\.boxes: expected \(N,4\) float32, got list"):
        detections(boxes=[[0, 0, 1, 1]])


@pytest.mark.parametrize("scores", [(-0.1, 0.5), (0.5, 1.1), (np.nan, 0.5)])
def test_scores_are_probabilities(scores):
    with pytest.raises(ValueError, match=r"scores: expected values in \[0,1\]"):
        detections(scores=np.array(scores, np.float32))


def test_an_identity_appears_once():
    with pytest.raises(ValueError, match="each once"):
        tracks(ids=np.array([3, 3]))


def test_empty_has_four_columns():
    assert Detections.empty().boxes.shape == Tracks.empty().boxes.shape == (0, 4)
    assert len(Detections.empty()) == len(Tracks.empty()) == 0


def test_one_mask_selects_everywhere():
    features = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = detections(3, features=features, scores=np.array([0.1, 0.2, 0.3], np.float32))
    picked = found[np.array([True, False, True])]
    assert picked.scores.tolist() == pytest.approx([0.1, 0.3])
    assert picked.features.tolist() == [[0, 1], [4, 5]]
    assert tracks(3)[np.array([2, 0])].ids.tolist() == [2, 0]


def test_features_have_a_row_for_each_box():
    with pytest.raises(ValueError, match=r"features: expected \(2,N\) float32, got \(3,5\)"):
        detections(features=np.zeros((3, 5), np.float32))


def test_pixels_are_made_once_and_read_only():
    one = frame(7)
    made = []
    one_rgb = one.rgb()

    def read():
        made.append(one.rgb() is one_rgb)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True] * 4
    with pytest.raises(ValueError, match="read-only"):
        one_rgb[0, 0] = 0
    assert one.resized(10, 5).shape == (5, 10, 3)
    assert repr(one) == "GrayFrame(stream='test', index=7, time=0.233, 64x48)"


def test_labels_of_classes():
    result = Result(frame(), Detections.empty(), Tracks.empty(), ("cat",))
    assert [result.label(c) for c in (0, 3, -1)] == ["cat", "3", "uncertain"]
