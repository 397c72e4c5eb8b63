"""Encoders in hardware, and x264 where there are none."""

import logging

import av
import numpy as np
import pytest

from vidan import Detections, Result, Tracks
from vidan.frames import ArrayFrame
from vidan_plugins.sinks.video import codec
from vidan_plugins.sinks.video.codec import choose, settings
from vidan_plugins.sinks.video.sink import VideoSink


@pytest.mark.parametrize("wanted", ["auto", "h264_nvenc"])
def test_what_does_not_start_is_x264(tmp_path, monkeypatch, caplog, wanted):
    monkeypatch.setattr(codec, "_starts", lambda *_: False)
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
    assert lines[0].startswith(f"sink.video.encoder={wanted}: ")
    assert lines[0].endswith("using 'libx264'")


def test_the_first_that_starts_is_taken(monkeypatch):
    monkeypatch.setattr(codec, "_starts", lambda name, *_: name == "h264_qsv")
    assert choose("auto", 64, 48) == "h264_qsv"
    assert choose("h264_qsv", 64, 48) == "h264_qsv"
    assert choose("libx264", 64, 48) == "libx264"


def test_whether_an_encoder_starts_is_tried():
    assert codec._starts("libx264", 64, 48)
    assert not codec._starts("h264_of_nobody", 64, 48)


@pytest.mark.parametrize("name", ["libx264", "h264_nvenc", "h264_qsv", "h264_amf"])
def test_every_encoder_is_told_the_quality(name):
    assert "30" in settings(name, "fast", 30).values()
