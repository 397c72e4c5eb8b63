"""Where sequences and what belongs to them are found."""

import pytest

from vidan.errors import ConfigError, SourceError
from vidan_plugins.tools.tracking.sequences import Folders, find, last_frame

from . import drawn


def test_the_official_layout(tmp_path):
    drawn.sequence(tmp_path, "A-01", frames=7)
    (tmp_path / "A-01" / "img1").mkdir()
    (video,) = find(Folders(tmp_path))
    assert (video.name, video.scene, video.length, video.rate) == ("A-01", "A-01", 7, 25.0)
    assert video.size == (640, 480)
    assert video.detections == tmp_path / "A-01" / "det" / "det.txt"
    assert video.truth == tmp_path / "A-01" / "gt" / "gt.txt"
    assert video.pictures == tmp_path / "A-01" / "img1"
    assert video.features is None


def test_a_single_sequence(tmp_path):
    drawn.sequence(tmp_path, "A-01")
    assert [v.name for v in find(Folders(tmp_path / "A-01"))] == ["A-01"]


def test_ground_truth_beside_the_sequences_serves_all_detectors(tmp_path):
    rows = drawn.boxes(1, 3)
    for name in ("MOT17-02-DPM", "MOT17-02-SDP"):
        drawn.detections(tmp_path / name / "det" / "det.txt", rows)
    drawn.truth(tmp_path / "gt" / "MOT17-02" / "gt.txt", rows)
    drawn.features(tmp_path / "features" / "MOT17-02-SDP.npy", rows)
    first, second = find(Folders(tmp_path))
    assert first.scene == second.scene == "MOT17-02"
    assert first.truth == second.truth == tmp_path / "gt" / "MOT17-02" / "gt.txt"
    assert first.features is None
    assert second.features == tmp_path / "features" / "MOT17-02-SDP.npy"
    assert not second.alone
    named = find(Folders(tmp_path, features=tmp_path / "features"))
    assert [video.alone for video in named] == [False, True]  # only one has features


@pytest.mark.parametrize("truth", ["gt/B/gt.txt", "gt/B/gt/gt.txt"])
def test_rate_and_size_may_stand_beside_the_ground_truth(tmp_path, truth):
    rows = drawn.boxes(1, 3)
    drawn.detections(tmp_path / "det" / "B" / "det" / "det.txt", rows)
    drawn.truth(tmp_path / truth, rows)
    about = tmp_path / "gt" / "B" / "seqinfo.ini"
    about.write_text("[Sequence]\nframeRate=7\nimWidth=768\nimHeight=576\nseqLength=9\n")
    (video,) = find(Folders(tmp_path))
    assert (video.rate, video.size, video.length) == (7.0, (768, 576), 9)


def test_detections_in_a_folder_of_their_own(tmp_path):
    rows = drawn.boxes(1, 3)
    drawn.detections(tmp_path / "det" / "B" / "det" / "det.txt", rows)
    drawn.truth(tmp_path / "gt" / "B" / "gt.txt", rows)
    (tmp_path / "frames" / "B" / "img1").mkdir(parents=True)
    for data in (tmp_path, tmp_path / "det"):
        (video,) = find(Folders(data))
        assert video.truth == tmp_path / "gt" / "B" / "gt.txt"
        assert video.pictures == tmp_path / "frames" / "B" / "img1"


def test_a_folder_of_ground_truth_that_is_named(tmp_path):
    rows = drawn.sequence(tmp_path / "data", "C")
    drawn.truth(tmp_path / "other" / "C.txt", rows)
    (video,) = find(Folders(tmp_path / "data", gt=tmp_path / "other"))
    assert video.truth == tmp_path / "other" / "C.txt"


def test_names_and_patterns(tmp_path):
    for name in ("A-1", "A-2", "B-1"):
        drawn.sequence(tmp_path, name)
    assert [v.name for v in find(Folders(tmp_path), ["A-*", "B-1"])] == ["A-1", "A-2", "B-1"]
    with pytest.raises(ConfigError, match="no sequence 'A-3': did you mean 'A-"):
        find(Folders(tmp_path), ["A-3"])


def test_what_is_not_there(tmp_path):
    with pytest.raises(SourceError, match="no sequences in"):
        find(Folders(tmp_path))
    with pytest.raises(SourceError, match=r"there is no folder '.*nowhere'"):
        find(Folders(tmp_path / "nowhere"))


@pytest.mark.parametrize("rate", ["0", "-3", "fast", "nan", "inf"])
def test_a_frame_rate_that_makes_no_sense(tmp_path, rate):
    drawn.sequence(tmp_path, "A")
    drawn.info(tmp_path / "A", 20, rate)
    with pytest.raises(SourceError, match=r"seqinfo.ini: framerate='.*': expected a number"):
        find(Folders(tmp_path))


def test_the_rate_that_is_given_counts(tmp_path):
    drawn.sequence(tmp_path, "A")
    assert find(Folders(tmp_path, rate=7.0))[0].rate == 7.0


def test_the_last_frame(tmp_path):
    assert last_frame(drawn.detections(tmp_path / "det.txt", drawn.boxes(2, 9)[::-1])) == 9
    assert last_frame(drawn.write(tmp_path / "empty.txt", [])) == 0
    (tmp_path / "bad.txt").write_text("one,2,3\n")
    with pytest.raises(SourceError, match=r"cannot read '.*bad\.txt'"):
        last_frame(tmp_path / "bad.txt")
