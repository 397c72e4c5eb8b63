"""The first word may be a video, a folder, a URL or the number of a camera."""

import pytest

from tests.clips import write_clip
from vidan.cli import main as main_module
from vidan.config.shortcuts import names_source, with_source
from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.url import Address


def test_files_folders_urls_and_cameras(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "video (1).mp4").write_bytes(b"")
    (tmp_path / "photos").mkdir()
    (tmp_path / "a=b").write_bytes(b"")
    for word, source in {
        "video (1).mp4": ["source=file", "source.path='video (1).mp4'"],
        "photos": ["source=images", "source.path='photos'"],
        "a=b": ["source=file", "source.path='a=b'"],
        "2": ["source=webcam", "source.device=2"],
        "rtsp://camera/1?a=b": ["source=rtsp", "source.path='rtsp://camera/1?a=b'"],
        "https://host/a.mp4": ["source=file", "source.path='https://host/a.mp4'"],
    }.items():
        assert names_source(word)
        assert with_source([word, "max_frames=2"]) == [*source, "max_frames=2"]


OVERRIDES = ("source=file", "source.path=rtsp://a/b", "~sink", "~sink.video", "+a.b=1")


@pytest.mark.parametrize("word", [*OVERRIDES, "doctor", "-m", "--cfg", ""])
def test_overrides_options_and_commands_are_no_sources(word):
    assert not names_source(word)


def test_a_missing_file_is_one_line():
    with pytest.raises(SourceError, match=r"cannot open 'nowhere.mp4': no such file"):
        with_source(["nowhere.mp4"])


def test_a_command_comes_before_a_file_of_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    assert main_module.main(["plugins", "--help"]) == 0
    assert "vidan plugins" in capsys.readouterr().out


def test_a_video_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip (1).mp4", 5)
    assert main_module.main(["-q", "clip (1).mp4", "sink=[jsonl]", "hydra.run.dir=out"]) == 0
    assert capsys.readouterr().out == ""
    assert len((tmp_path / "out/results.jsonl").read_text().splitlines()) == 5


LONG = "https://server/live.m3u8?signature=" + "s" * 400


def test_a_url_may_be_long(capsys):
    assert with_source([LONG]) == ["source=file", f"source.path='{LONG}'"]
    assert Address(LONG).target == LONG
    assert main_module.main([f"source.path={LONG}"]) == 2  # of the synthetic source
    assert "a bug" not in capsys.readouterr().err
