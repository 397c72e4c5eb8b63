"""Tracks that are drawn over a video."""

import json

import pytest

from vidan import ConfigError
from vidan_plugins.tools.view.tracks import TrackFiles, parts_to_draw
from vidan_plugins.tools.view.view import overlay_of, tracks_of

TRACK = {"id": 1, "box": [0, 0, 9, 9], "score": 0.5, "label": "car", "coasting": False}


def line(time):
    frame = {"time": time, "width": 64, "height": 48, "tracks": [TRACK]}
    return f"{json.dumps(frame)}\n"


@pytest.fixture
def plain(tmp_path):
    """A run whose video has no boxes; its tracks are still to be written."""
    (tmp_path / "config.yaml").write_text(
        "sink: {video: {drawing: {boxes: false, unconfirmed: false}}}\n"
    )
    return tmp_path


def test_several_files_are_read_as_one(plain):
    text = [line(n / 10) for n in range(9)]
    for number, part in enumerate((text[:3], text[3:4], text[4:]), 1):
        name = f"results-2026-01-0{number}_00-00-00.jsonl"
        (plain / name).write_text("".join(part) + '{"time": 0.9')
    tracks = tracks_of(plain)
    for begin, end in ((0, 1), (0.2, 0.5), (0.3, 0.35), (2, 3)):
        expected = [n / 10 for n in range(9) if begin <= n / 10 < end]
        assert [frame["time"] for frame in tracks.between(begin, end)] == expected
    assert overlay_of(plain, tracks) == ["boxes"]
    (plain / "results-2026-01-02_00-00-00.jsonl").unlink()
    with pytest.raises(ConfigError, match=r"cannot read .*01-02"):
        tracks.between(0, 1)


def test_what_is_missing_to_draw_is_named(plain, caplog):
    assert tracks_of(plain) is None
    assert overlay_of(plain, None) == []
    assert "lacks boxes, and there is no results.jsonl" in caplog.text
    (plain / "config.yaml").unlink()
    assert parts_to_draw(plain) == []
    assert "no .hydra/config.yaml" in caplog.text


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        TrackFiles([tmp_path])
