"""MOTChallenge's text formats; tests/plugins/detectors/test_mot.py has the reading of det.txt."""

import numpy as np
import pytest

from vidan.errors import SinkError, SourceError
from vidan_plugins.formats.mot import (
    last_frame,
    read_detections,
    read_tracks,
    track_line,
    truth_line,
    write_tracks,
)


def test_lines_count_frames_and_classes_from_1(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text(track_line(0, 7, (1.0, 2.5, 30.0, 40.0), 0.75) + "\n")
    assert path.read_text() == "1,7,1.00,2.50,30.00,40.00,0.7500,-1,-1,-1\n"
    assert read_tracks(path).tolist() == [[1, 7, 1, 2.5, 30, 40, 0.75, -1, -1, -1]]
    assert read_detections(path).values.shape == (1, 10)
    assert truth_line(4, 2, (1, 2, 3, 4), 0, 0.5) == "5,2,1.00,2.00,3.00,4.00,1,1,0.500"


@pytest.mark.parametrize("side", [16.0, 123.45678, 1919.9999])
def test_boxes_in_single_precision_are_read_as_they_were(tmp_path, side):
    box = np.array([side / 3, side / 7, side, side / 2], np.float32)
    left, top, right, bottom = box.astype(float).tolist()
    path = tmp_path / "tracks.txt"
    path.write_text(track_line(0, 7, (left, top, right - left, bottom - top), 1))
    x, y, width, height = read_tracks(path)[0, 2:6].tolist()
    read = np.array([x, y, x + width, y + height], np.float32)
    np.testing.assert_array_equal(read[box > 8], box[box > 8])
    np.testing.assert_allclose(read, box, atol=1e-6)


def test_tracks_are_sorted_and_missing_columns_filled(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("2,1,0,0,5,5\n1,2,0,0,5,5,0.5\n\n1,1,0,0,5,5,0.5,9,9,9,9\n")
    rows = read_tracks(path)
    assert rows[:, :2].tolist() == [[1, 1], [1, 2], [2, 1]]
    assert rows[2, 6:].tolist() == [-1, -1, -1, -1]
    assert rows[0, 6:].tolist() == [0.5, 9, 9, 9]


def test_written_tracks_can_be_read(tmp_path):
    rows = np.array([[1, 1, 0.25, 1, 2, 3, 0.5, -1, -1, -1], [2, 1, 0.5, 1, 2, 3, 0.5, -1, -1, -1]])
    write_tracks(tmp_path / "new" / "tracks.txt", rows)
    np.testing.assert_array_equal(read_tracks(tmp_path / "new" / "tracks.txt"), rows)
    with pytest.raises(SinkError, match="cannot write"):
        write_tracks(tmp_path, rows)


def test_the_last_frame(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text("1,-1,0,0,5,5,1\n9,-1,0,0,5,5,1\n3,-1,0,0,5,5,1\n")
    assert last_frame(path) == 9
    path.write_text("")
    assert last_frame(path) == 0
    path.write_text("one,2,3\n")
    with pytest.raises(SourceError, match=r"cannot read '.*det\.txt'"):
        last_frame(path)
