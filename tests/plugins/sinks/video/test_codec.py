"""Choice of the encoder: hardware, or x264 where there is none."""

import logging

import av
import numpy as np
import pytest

from vidan import Detections, Result, Tracks
from vidan.frames import ArrayFrame
from vidan_plugins.sinks.video import codec
from vidan_plugins.sinks.video.codec import can_open, choose, settings
from vidan_plugins.sinks.video.sink import VideoSink


@pytest.mark.parametrize("wanted", ["auto", "h264_nvenc"])
def test_an_unavailable_encoder_is_replaced_by_x264(tmp_path, monkeypatch, caplog, wanted):
    monkeypatch.setattr(codec, "can_open", lambda *_: False)
    path = tmp_path / "video.mp4"
    sink = VideoSink(str(path), encoder=wanted)
    for n in range(3):
        rgb = np.full((48, 64, 3), 80, np.uint8)
        frame = ArrayFrame(rgb, index=n, time=n / 25, captured=0.0, stream="t")
        sink.write(Result(frame, Detections.empty(), Tracks.empty()))
    sink.close()
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(lines) == 1
    assert lines[0].startswith(f"encoder={wanted}: ")
    assert lines[0].endswith("using 'libx264'")


def test_auto_takes_the_first_encoder_that_can_be_opened(monkeypatch):
    monkeypatch.setattr(codec, "can_open", lambda name, *_: name == "h264_qsv")
    assert choose("auto", 64, 48) == "h264_qsv"
    assert choose("h264_qsv", 64, 48) == "h264_qsv"
    assert choose("libx264", 64, 48) == "libx264"


def test_an_encoder_is_available_if_it_can_be_opened():
    assert can_open("libx264", 64, 48)
    assert not can_open("h264_of_nobody", 64, 48)


@pytest.mark.parametrize("name", ["libx264", "h264_nvenc", "h264_qsv", "h264_amf"])
def test_every_encoder_gets_the_quality(name):
    assert "30" in settings(name, "fast", 30).values()
