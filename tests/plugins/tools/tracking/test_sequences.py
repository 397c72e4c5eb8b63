"""Search for sequences and their files."""

import pytest

from vidan.errors import ConfigError, SourceError
from vidan_plugins.tools.tracking.sequences import Folders, find_sequences

from . import mot_files


def test_the_official_layout(tmp_path):
    mot_files.sequence(tmp_path, "A-01", frames=7)
    (tmp_path / "A-01" / "img1").mkdir()
    (sequence,) = find_sequences(Folders(tmp_path))
    assert (sequence.name, sequence.scene, sequence.length, sequence.rate) == (
        "A-01",
        "A-01",
        7,
        25.0,
    )
    assert sequence.size == (640, 480)
    assert sequence.detections == tmp_path / "A-01" / "det" / "det.txt"
    assert sequence.truth == tmp_path / "A-01" / "gt" / "gt.txt"
    assert sequence.images == tmp_path / "A-01" / "img1"
    assert sequence.features is None


def test_a_single_sequence(tmp_path):
    mot_files.sequence(tmp_path, "A-01")
    assert [s.name for s in find_sequences(Folders(tmp_path / "A-01"))] == ["A-01"]


def test_ground_truth_next_to_the_sequences_serves_all_detectors(tmp_path):
    rows = mot_files.boxes(1, 3)
    for name in ("MOT17-02-DPM", "MOT17-02-SDP"):
        mot_files.detections(tmp_path / name / "det" / "det.txt", rows)
    mot_files.truth(tmp_path / "gt" / "MOT17-02" / "gt.txt", rows)
    mot_files.features(tmp_path / "features" / "MOT17-02-SDP.npy", rows)
    first, second = find_sequences(Folders(tmp_path))
    assert first.scene == second.scene == "MOT17-02"
    assert first.truth == second.truth == tmp_path / "gt" / "MOT17-02" / "gt.txt"
    assert first.features is None
    assert second.features == tmp_path / "features" / "MOT17-02-SDP.npy"
    assert not second.boxes_from_features
    named = find_sequences(Folders(tmp_path, features=tmp_path / "features"))
    assert [sequence.boxes_from_features for sequence in named] == [
        False,
        True,
    ]  # only one has features


@pytest.mark.parametrize("truth", ["gt/B/gt.txt", "gt/B/gt/gt.txt"])
def test_rate_and_size_may_come_from_a_seqinfo_next_to_the_ground_truth(tmp_path, truth):
    rows = mot_files.boxes(1, 3)
    mot_files.detections(tmp_path / "det" / "B" / "det" / "det.txt", rows)
    mot_files.truth(tmp_path / truth, rows)
    about = tmp_path / "gt" / "B" / "seqinfo.ini"
    about.write_text("[Sequence]\nframeRate=7\nimWidth=768\nimHeight=576\nseqLength=9\n")
    (sequence,) = find_sequences(Folders(tmp_path))
    assert (sequence.rate, sequence.size, sequence.length) == (7.0, (768, 576), 9)


def test_detections_in_a_separate_folder(tmp_path):
    rows = mot_files.boxes(1, 3)
    mot_files.detections(tmp_path / "det" / "B" / "det" / "det.txt", rows)
    mot_files.truth(tmp_path / "gt" / "B" / "gt.txt", rows)
    (tmp_path / "frames" / "B" / "img1").mkdir(parents=True)
    for data in (tmp_path, tmp_path / "det"):
        (sequence,) = find_sequences(Folders(data))
        assert sequence.truth == tmp_path / "gt" / "B" / "gt.txt"
        assert sequence.images == tmp_path / "frames" / "B" / "img1"


def test_a_named_folder_of_ground_truth(tmp_path):
    rows = mot_files.sequence(tmp_path / "data", "C")
    mot_files.truth(tmp_path / "other" / "C.txt", rows)
    (sequence,) = find_sequences(Folders(tmp_path / "data", gt=tmp_path / "other"))
    assert sequence.truth == tmp_path / "other" / "C.txt"


def test_names_and_patterns(tmp_path):
    for name in ("A-1", "A-2", "B-1"):
        mot_files.sequence(tmp_path, name)
    assert [s.name for s in find_sequences(Folders(tmp_path), ["A-*", "B-1"])] == [
        "A-1",
        "A-2",
        "B-1",
    ]
    with pytest.raises(ConfigError, match="no sequence 'A-3': did you mean 'A-"):
        find_sequences(Folders(tmp_path), ["A-3"])


def test_missing_folders_and_sequences(tmp_path):
    with pytest.raises(SourceError, match="no sequences in"):
        find_sequences(Folders(tmp_path))
    with pytest.raises(SourceError, match=r"there is no folder '.*nowhere'"):
        find_sequences(Folders(tmp_path / "nowhere"))


@pytest.mark.parametrize("rate", ["0", "-3", "fast", "nan", "inf"])
def test_an_invalid_frame_rate(tmp_path, rate):
    mot_files.sequence(tmp_path, "A")
    mot_files.info(tmp_path / "A", 20, rate)
    with pytest.raises(SourceError, match=r"seqinfo.ini: framerate='.*': expected a number"):
        find_sequences(Folders(tmp_path))


def test_a_given_rate_has_priority(tmp_path):
    mot_files.sequence(tmp_path, "A")
    assert find_sequences(Folders(tmp_path, rate=7.0))[0].rate == 7.0
