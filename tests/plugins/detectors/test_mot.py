import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidan import create
from vidan.errors import ConfigError, SourceError
from vidan_plugins.detectors.mot import MotDetector

from .models import plain

THREE = """2,-1,10,20,30,40,0.5,-1,-1,-1
1,-1,1,2,3,4,0.9,-1,-1,-1
2,-1,-5.5,0,7,8,0.75,-1,-1,-1
"""


@pytest.fixture
def text(tmp_path):
    def write(content, name="det.txt"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write


@pytest.fixture
def array(tmp_path):
    def write(values, name="features.npy"):
        path = tmp_path / name
        np.save(path, values)
        return str(path)

    return write


def at(detector, index):
    return detector.detect([plain(0, 8, 8, index)])[0]


def rows(columns, features, count=6, seed=0):
    """Rows of det columns, two to a frame, then features."""
    values = np.random.default_rng(seed).random((count, columns + features))
    values[:, 0] = 1 + np.arange(count) // 2
    values[:, 2:6] = np.round(values[:, 2:6] * 90 + 10, 2)
    return values


def written(values, columns):
    return "".join(",".join(f"{v:.9g}" for v in row[:columns]) + "\n" for row in values)


def test_classes_in_the_file(text):
    file = text("1,-1,1,2,3,4,0.9,2,-1,-1\n1,-1,9,2,3,4,0.9,1,-1,-1\n")
    detector = MotDetector(file, label=["person", "bicycle"])
    assert detector.labels == ("person", "bicycle")
    assert at(detector, 0).classes.tolist() == [1, 0]
    assert at(MotDetector(file), 0).classes.tolist() == [0, 0]


def test_labels_are_renamed(text):
    file = text("".join(f"1,-1,{n},2,3,4,0.9,{n},-1,-1\n" for n in (3, 2, 1)))
    label = ["person", "car", "truck"]
    detector = MotDetector(file, label=label, rename={"car": "vehicle", "truck": "vehicle"})
    assert (detector.labels, detector.own_labels) == (
        ("person", "vehicle"),
        (("person",), ("car", "truck")),
    )
    assert at(detector, 0).classes.tolist() == [1, 1, 0]
    left = at(MotDetector(file, label=label, rename={"car": None}), 0)
    assert (left.classes.tolist(), left.boxes[:, 0].tolist()) == ([1, 0], [3, 1])
    with pytest.raises(ConfigError, match="rename: no label 'cra'; did you mean 'car'"):
        MotDetector(file, label=label, rename={"cra": "vehicle"})


def test_classes_that_a_file_does_not_have(text):
    with pytest.raises(SourceError, match=r"det.txt:1: expected a class from 1 to 2 in column 8"):
        MotDetector(text(THREE), label=["person", "bicycle"])
    short = text("1,-1,1,2,3,4,0.9\n")
    with pytest.raises(SourceError, match="has no classes in column 8: set label="):
        MotDetector(short, label=["person", "bicycle"])


def test_frame_i_gets_the_rows_of_frame_i_plus_1_in_their_order(text):
    detector = MotDetector(text(THREE))
    first, second, third = detector.detect([plain(0, 8, 8, i) for i in range(3)])
    assert first.boxes.tolist() == [[1, 2, 4, 6]]
    assert second.boxes.tolist() == [[10, 20, 40, 60], [-5.5, 0, 1.5, 8]]
    assert second.scores.tolist() == [0.5, 0.75]
    assert second.classes.tolist() == [0, 0]
    assert second.features is None
    assert len(third) == 0
    assert detector.labels == ("person",)
    detector.close()
    detector.close()


@pytest.mark.parametrize("columns", [7, 8, 9, 10])
def test_7_to_10_columns_are_accepted(text, columns):
    values = rows(10, 0)
    detector = MotDetector(text(written(values, columns)), label="car")
    assert [len(at(detector, i)) for i in range(4)] == [2, 2, 2, 0]
    assert detector.labels == ("car",)


def test_blank_lines_spaces_and_carriage_returns_are_ignored(text):
    detector = MotDetector(text("\ufeff\r\n 1, -1, 1, 2, 3, 4, 1 \r\n\r\n"))
    assert at(detector, 0).boxes.tolist() == [[1, 2, 4, 6]]


def test_scores_outside_0_to_1_are_mapped_and_logged_once(text, logged):
    scores = (0.0, 2.0, -1000.0, 1000.0, np.log(3))
    detector = MotDetector(text("".join(f"1,-1,0,0,5,5,{s}\n" for s in scores)))
    # 1 / (1 + exp(-x)): a half, 0.8808, nothing, all, 3 / 4
    np.testing.assert_allclose(at(detector, 0).scores, [0.5, 0.880797, 0, 1, 0.75], atol=1e-6)
    at(detector, 0)
    (said,) = [message for level, message in logged() if level == "INFO"]
    assert said.endswith("scores -1000 to 1000 mapped to [0,1]")


def test_scores_inside_0_to_1_are_kept(text, logged):
    assert at(MotDetector(text("1,-1,0,0,5,5,0\n1,-1,0,0,5,5,1\n")), 0).scores.tolist() == [0, 1]
    assert logged() == []


def test_min_score_is_in_the_units_of_the_file(text):
    path = text("1,-1,0,0,5,5,-0.1\n1,-1,1,0,5,5,0\n1,-1,2,0,5,5,3\n")
    found = at(MotDetector(path, min_score=0), 0)
    assert found.boxes[:, 0].tolist() == [1, 2]
    # The logistic function, though no score outside [0,1] but 3 is left.
    np.testing.assert_allclose(found.scores, [0.5, 0.952574], atol=1e-6)


def test_rows_without_an_area_are_ignored_and_reported(text, logged):
    path = text("1,-1,0,0,5,5,1\n1,-1,0,0,0,5,1\n\n1,-1,0,0,5,-5,1\n")
    detector = MotDetector(path)
    assert len(at(detector, 0)) == 1
    ((level, said),) = logged()
    assert level == "WARNING"
    assert said == (
        f"{path}:2: expected a width and height above 0: ignoring this and 1 more of 3 rows"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "hold no rows"),
        ("\n \n", "hold no rows"),
        (b"\xff\xfe\x00", "it is not text"),
        ("1,-1,0,0,5,5,1\n1,-1,0,0,5,5\n", r":2: expected 7 to 10 numbers .* got 6"),
        ("1,-1,0,0,5,5,1,2,3,4,5\n", r":1: expected 7 to 10 numbers .* got 11"),
        ("1 -1 0 0 5 5 1\n", r":1: expected 7 to 10 numbers .* got 1: '1 -1 0 0 5 5 1'"),
        ("1,-1,0,0,5,5,1,-1\n\n1,-1,0,0,5,5,1\n", r":3: expected 8 numbers .* cut off"),
        ("1,-1,0,0,5,5,1\n1,-1,x,0,5,5,1\n", r":2: expected numbers, got '1,-1,x,0,5,5,1'"),
        ("1,-1,0,0,5,5,\n", ":1: expected numbers"),
        ("1,-1,nan,0,5,5,1\n", ":1: expected finite numbers, got 1,-1,nan,0,5,5,1"),
        ("1,-1,0,0,5,5,1\n1,-1,0,0,1e39,5,1\n", ":2: expected finite numbers"),
        ("0,-1,0,0,5,5,1\n", ":1: expected a frame number of at least 1, got 0,"),
        ("1.5,-1,0,0,5,5,1\n", ":1: expected a frame number of at least 1"),
        ("1e20,-1,0,0,5,5,1\n", ":1: expected a frame number of at least 1"),
    ],
)
def test_bad_rows_are_named_by_file_and_line(text, content, message):
    path = text(content)
    with pytest.raises(SourceError, match=message) as caught:
        MotDetector(path)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)


FIELDS = st.sampled_from(["1", "-1", "2.5", "", " ", "x", "nan", "inf", "1e300", "-0", "1_0", "٣"])
LINES = st.lists(FIELDS, min_size=6, max_size=11).map(",".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(LINES, max_size=4).map("\n".join))
def test_any_text_is_read_or_rejected(text, content):
    path = text(content)
    with contextlib.suppress(SourceError):
        assert MotDetector(path).detect([plain(0, 8, 8, i) for i in range(3)])


def test_missing_files_are_errors(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        MotDetector(str(tmp_path / "none.txt"))
    with pytest.raises(SourceError, match="directory"):
        MotDetector(str(tmp_path))
    with pytest.raises(SourceError, match="No such file"):
        MotDetector(features=str(tmp_path / "none.npy"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "detector.path: missing, set detector.path=<det.txt>"),
        ({"path": ""}, "detector.path='': expected a path"),
        ({"path": "x", "label": ""}, "detector.label: .*not ''"),
        ({"path": "x", "min_score": "0"}, "detector.min_score: .*not '0'"),
        ({"features": "x", "feature_column": 6}, "detector.feature_column: expected `int` >= 7"),
    ],
)
def test_bad_options_are_rejected(options, message):
    with pytest.raises(ConfigError, match=message):
        create("detector", "mot", **options)


@pytest.mark.parametrize("columns", [7, 10])
def test_a_features_file_alone_has_the_detections_too(array, columns):
    values = rows(columns, 128)
    found = at(MotDetector(features=array(values)), 1)
    assert (found.features.shape, found.features.dtype) == ((2, 128), np.float32)
    np.testing.assert_array_equal(found.features, values[2:4, columns:].astype(np.float32))
    np.testing.assert_allclose(found.boxes[:, 0], values[2:4, 2], rtol=1e-6)
    np.testing.assert_allclose(found.scores, values[2:4, 6], rtol=1e-6)


def test_features_from_a_given_column(array):
    values = rows(7, 128)  # the first three features taken for det columns, as DeepSORT does
    found = at(MotDetector(features=array(values), feature_column=10), 0)
    np.testing.assert_array_equal(found.features, values[:2, 10:].astype(np.float32))


def test_features_begin_after_the_columns_of_the_text_if_in_doubt(text, array):
    values = rows(9, 100)  # 109 - 7, 8, 9, 10 = 102, 101, 100, 99: none a multiple of 8
    with pytest.raises(ConfigError, match=r"109 numbers .* set feature_column"):
        MotDetector(features=array(values))
    detector = MotDetector(text(written(values, 9)), features=array(values))
    assert at(detector, 0).features.shape == (2, 100)


def test_features_stay_with_their_detections_in_any_order(text, array):
    values = rows(7, 8, count=12)
    values[5, 2:6] = values[4, 2:6]  # two equal boxes in a frame: their order counts
    shuffled = np.random.default_rng(1).permutation(12)
    late, early = sorted([4, 5], key=lambda i: np.flatnonzero(shuffled == i)[0], reverse=True)
    if late < early:
        shuffled[[np.flatnonzero(shuffled == 4)[0], np.flatnonzero(shuffled == 5)[0]]] = [5, 4]
    path = text(written(values[shuffled], 7))
    detector = MotDetector(path, features=array(values))
    for frame in range(6):
        found = at(detector, frame)
        expected = values[shuffled][values[shuffled][:, 0] == frame + 1]
        np.testing.assert_allclose(found.boxes[:, 0], expected[:, 2], rtol=1e-6)
        np.testing.assert_array_equal(found.features, expected[:, 7:].astype(np.float32))


def test_features_of_removed_rows_are_removed(text, array):
    values = rows(7, 8, count=4)
    values[:, 6] = [0.9, 0.1, 0.8, 0.7]
    values[2, 4] = 0
    found = MotDetector(text(written(values, 7)), features=array(values), min_score=0.5)
    np.testing.assert_array_equal(at(found, 0).features, values[:1, 7:].astype(np.float32))
    np.testing.assert_array_equal(at(found, 1).features, values[3:, 7:].astype(np.float32))


def test_features_of_other_detections_are_rejected(text, array):
    values = rows(7, 8)
    other = values.copy()
    other[3, 2] += 1
    with pytest.raises(SourceError, match=r"det\.txt:4: .* has no features for this detection"):
        MotDetector(text(written(values, 7)), features=array(other))
    with pytest.raises(SourceError, match=r"has 6 rows and .* has 5: they do not belong together"):
        MotDetector(text(written(values, 7)), features=array(values[:5]))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.zeros(5),
            r"expected an array \(N,M\) of numbers with at least one row, got \(5\) float64",
        ),
        (np.zeros((0, 135)), "with at least one row"),
        (np.array([["a", "b"]]), "of numbers"),
        (np.ones((2, 9)), "feature_column"),
    ],
)
def test_arrays_of_another_shape_or_type_are_rejected(array, values, message):
    with pytest.raises((SourceError, ConfigError), match=message):
        MotDetector(features=array(values))


@pytest.mark.parametrize("column", [135, 500])
def test_a_feature_column_beyond_the_row_is_rejected(array, column):
    with pytest.raises(ConfigError, match=f"^feature_column={column}: expected 7 to 134"):
        MotDetector(features=array(rows(7, 128)), feature_column=column)


def test_features_that_are_not_finite_are_reported_with_their_row(array):
    values = rows(7, 8)
    values[4, 9] = np.nan
    with pytest.raises(SourceError, match=r"features\.npy: row 4: expected finite features"):
        MotDetector(features=array(values))


def test_files_without_an_array_are_rejected(text, tmp_path, array):
    whole = tmp_path / "whole.npy"
    np.save(whole, rows(7, 128))
    np.savez(tmp_path / "many.npz", a=np.zeros(3))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    bad = [
        text("", "empty.npy"),
        text("1,2,3", "text.npy"),
        text(whole.read_bytes()[:-9], "cut.npy"),
        text(b"PK\x03\x04 no zip", "zip.npy"),
        str(tmp_path / "many.npz"),
        str(tmp_path / "objects.npy"),
    ]
    for path in bad:
        with pytest.raises(SourceError, match=r"it is no \.npy file of numbers, or cut off"):
            MotDetector(features=path)


def sequences(data):
    return sorted(data.glob("mot1[567]/**/det/det.txt"))


def test_real_files_load_completely_and_in_order(data, logged):
    files = sequences(data)
    assert len(files) == 23
    total = 0
    for path in files:
        table = np.loadtxt(path, delimiter=",")
        detector = MotDetector(str(path))
        count = 0
        for index in range(int(table[:, 0].max())):
            of_frame = table[table[:, 0] == index + 1] if index % 50 == 0 else None
            found = at(detector, index)
            count += len(found)
            if of_frame is not None:
                xyxy = np.hstack([of_frame[:, 2:4], of_frame[:, 2:4] + of_frame[:, 4:6]])
                np.testing.assert_allclose(found.boxes, xyxy, atol=1e-3)
        assert count == len(table), path
        total += count
    assert total == 211478
    mapped = [message for _, message in logged() if "mapped" in message]
    assert len(mapped) == 6  # MOT16-09 and the five DPM
    assert not [message for level, message in logged() if level == "WARNING"]


@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [
        ("mot15/features/TUD-Campus.npy", 10, 322),
        ("mot15/features/TUD-Stadtmitte.npy", 10, 1129),
        ("mot17/features/MOT17-05-FRCNN.npy", 7, 3848),
        ("mot17/features/MOT17-09-FRCNN.npy", 7, 3049),
    ],
)
def test_real_features(data, name, columns, count):
    values = np.load(data / name)
    detector = MotDetector(features=str(data / name))
    found = [at(detector, index) for index in range(int(values[:, 0].max()))]
    assert sum(map(len, found)) == count
    features = np.concatenate([each.features for each in found])
    np.testing.assert_array_equal(features, values[:, columns:].astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)


def test_real_features_with_their_detections(data):
    name = "MOT17-09-FRCNN"  # whose det.txt is not sorted by frame
    features = str(data / f"mot17/features/{name}.npy")
    both = MotDetector(str(data / f"mot17/{name}/det/det.txt"), features=features)
    alone = MotDetector(features=features)
    for index in range(0, 525, 25):
        one, other = at(both, index), at(alone, index)
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.features, other.features)
