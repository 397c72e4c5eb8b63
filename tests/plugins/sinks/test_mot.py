"""Results in the text format of MOTChallenge."""

import dataclasses

import numpy as np

from vidan_plugins.detectors.mot import MotDetector
from vidan_plugins.sinks.mot import MotFile

from .test_textfile import result, write


def test_frames_count_from_one_and_boxes_have_a_size(tmp_path):
    path = tmp_path / "tracks.txt"
    write(MotFile(str(path)), result(0), result(1, empty=True), result(4))
    assert path.read_text().splitlines() == [
        "1,7,1.00,2.00,10.00,20.00,0.1000,-1,-1,-1",
        "1,9,-3.50,0.00,7.50,4.00,0.7500,-1,0,-1",
        "5,7,1.00,2.00,10.00,20.00,0.1000,-1,-1,-1",
        "5,9,-3.50,0.00,7.50,4.00,0.7500,-1,0,-1",
    ]


def test_detections_have_the_id_minus_one(tmp_path):
    path = tmp_path / "det.txt"
    write(MotFile(str(path), boxes="detections"), result(0))
    assert path.read_text() == "1,-1,1.004,2.00,10.002,20.00,0.1000,-1,-1,-1\n"


def test_classes_count_from_one_and_are_minus_one_if_uncertain(tmp_path):
    path = tmp_path / "tracks.txt"
    write(MotFile(str(path), classes=True), result(0))
    assert [line.split(",")[7] for line in path.read_text().splitlines()] == ["1", "-1"]


def test_detections_are_the_same_when_they_are_read_again(tmp_path):
    path = tmp_path / "det.txt"
    made = result(0)
    scores = np.array([0.24996], np.float32)
    made = dataclasses.replace(made, detections=dataclasses.replace(made.detections, scores=scores))
    write(MotFile(str(path), boxes="detections"), made)
    (read,) = MotDetector(str(path)).detect([made.frame])
    assert read.scores.tolist() == scores.tolist()
    np.testing.assert_allclose(read.boxes, made.detections.boxes, atol=2e-6)


def test_only_the_newest_files_are_kept(tmp_path, monkeypatch):
    now = [1_700_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    sink = MotFile(str(tmp_path / "tracks.txt"), keep=2)
    for index in range(4):
        sink.write(result(index))
        now[0] += 86_400
    sink.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3  # two, and the one that is written
    assert all(name.startswith("tracks-2023-11-") for name in names)
    assert sink.outputs[-1].endswith(names[-1])
    assert (tmp_path / names[-1]).read_text().startswith("4,7,")
