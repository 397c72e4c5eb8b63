import importlib

import numpy as np
import pytest

from vidan import Detections, PluginError, Tracks, convert
from vidan.testing import detections, result


def test_a_table_has_a_row_for_each_track_and_each_detection_without_one():
    pandas = pytest.importorskip("pandas")
    first = result(0)
    second = result(3, [[1, 2, 3, 4], [5, 6, 7, 8]], classes=[0, -1])
    loose = result(4, [[9, 9, 10, 10]])
    loose = type(loose)(loose.frame, loose.detections, Tracks.empty(), loose.labels)
    table = convert.to_pandas([first, second, loose])
    assert tuple(table.columns) == convert.COLUMNS
    assert table.frame.tolist() == [3, 3, 4]
    assert table.label.tolist() == ["thing", "uncertain", "thing"]
    assert table.id.tolist() == [1, 2, pandas.NA]
    assert table[["x1", "y1", "x2", "y2"]].iloc[1].tolist() == [5, 6, 7, 8]
    assert table.time.tolist() == pytest.approx([0.1, 0.1, 4 / 30])
    assert tuple(convert.to_pandas([]).columns) == convert.COLUMNS


def test_an_arrow_table_has_the_same_rows():
    pytest.importorskip("pyarrow")
    table = convert.to_arrow([result(3, [[1, 2, 3, 4]])])
    assert table.column_names == list(convert.COLUMNS)
    assert table.to_pylist()[0]["x2"] == 3


def test_supervision_round_trip():
    pytest.importorskip("supervision")
    found = detections([[1, 2, 3, 4], [5, 6, 7, 8]], [0.5, 0.75], [1, 0])
    theirs = convert.to_supervision(found, ("a", "b"))
    assert theirs.data["class_name"].tolist() == ["b", "a"]
    assert theirs.tracker_id is None
    again = convert.from_supervision(theirs)
    for name in ("boxes", "scores", "classes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    tracks = result(0, [[1, 2, 3, 4]]).tracks
    assert convert.to_supervision(tracks).tracker_id.tolist() == [1]
    assert len(convert.to_supervision(Detections.empty())) == 0


def test_missing_scores_and_classes_have_defaults():
    class Theirs:
        xyxy = np.array([[0, 0, 1, 1]])
        confidence = class_id = None

        def __len__(self):
            return 1

    found = convert.from_supervision(Theirs())
    assert found.scores.tolist() == [1.0]
    assert found.classes.tolist() == [0]


def test_a_library_that_is_not_installed_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(importlib, "import_module", missing)
    for function in (convert.to_pandas, convert.to_arrow):
        with pytest.raises(PluginError, match="is not installed: pip install"):
            function([])
