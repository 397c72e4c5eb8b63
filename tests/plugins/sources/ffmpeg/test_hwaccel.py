"""Hardware decoding, and decoding on the CPU where no device works."""

import logging

import pytest

from tests.clips import write_clip
from vidan import ConfigError
from vidan.config.build import build
from vidan_plugins.sources.ffmpeg import hwaccel
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.hwaccel import accelerator, device_works


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_without_a_device_the_cpu_decodes(tmp_path, monkeypatch, caplog, wanted):
    monkeypatch.setattr(hwaccel, "device_works", lambda name: False)
    path = tmp_path / "clip.mp4"
    write_clip(path)
    source = VideoFile(str(path), hwaccel=wanted)
    plain = VideoFile(str(path))
    assert len(list(source)) == len(list(plain)) > 0
    source.close()
    plain.close()
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert lines == [f"hwaccel={wanted}: no such device works here; decoding on the CPU"]


def test_auto_selects_the_best_device_that_works(monkeypatch):
    tried = []
    monkeypatch.setattr(hwaccel, "device_works", lambda name: tried.append(name) or name == "vaapi")
    assert accelerator("auto") is not None
    assert tried == ["cuda", "videotoolbox", "d3d11va", "vaapi"]
    assert accelerator("none") is None


def test_an_unknown_device_is_rejected():
    assert not device_works("nobody")
    with pytest.raises(ConfigError, match=r"^source\.hwaccel.*'cudda'"):
        build("source", {"name": "file", "path": "clip.mp4", "hwaccel": "cudda"})
