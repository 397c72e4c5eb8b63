"""Decoding in hardware, and by the processor where there is none."""

import logging

import pytest

from tests.clips import write_clip
from vidan import ConfigError
from vidan_plugins.sources.ffmpeg import hwaccel as hardware
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.hwaccel import accelerator


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_without_a_device_the_processor_decodes(tmp_path, monkeypatch, caplog, wanted):
    monkeypatch.setattr(hardware, "_starts", lambda name: False)
    path = tmp_path / "clip.mp4"
    write_clip(path)
    source = VideoFile(str(path), hwaccel=wanted)
    plain = VideoFile(str(path))
    assert len(list(source)) == len(list(plain)) > 0
    source.close()
    plain.close()
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert lines == [f"source.hwaccel={wanted}: no such device starts here; the processor decodes"]


def test_the_best_device_that_starts(monkeypatch):
    tried = []
    monkeypatch.setattr(hardware, "_starts", lambda name: tried.append(name) or name == "vaapi")
    assert accelerator("auto") is not None
    assert tried == ["cuda", "videotoolbox", "d3d11va", "vaapi"]
    assert accelerator("none") is None


def test_a_device_that_nobody_has():
    assert not hardware._starts("nobody")
    with pytest.raises(ConfigError, match=r"source.hwaccel='cudda'.*'cuda'"):
        VideoFile("clip.mp4", hwaccel="cudda")
