"""Fewer frames per second than a video has."""

from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from types import SimpleNamespace

import pytest
from av.video.frame import PictureType

from tests.clips import number_of, write_clip
from vidan_plugins.sources.ffmpeg.decode import DecodedImage
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.rate import RateFilter

STRUCTURES = {
    "no_b_frames": {"bf": "0", "g": "250"},
    "b_frames": {"bf": "3", "g": "250", "b_strategy": "0"},
    "pyramid": {"bf": "3", "g": "250", "b_strategy": "0", "x264-params": "b-pyramid=normal"},
    "many_key_frames": {"bf": "0", "g": "6", "keyint_min": "6", "sc_threshold": "0"},
    "only_key_frames": {"bf": "0", "g": "1"},
}


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("rate", [5, 12, 30, 100])
@pytest.mark.parametrize("name", STRUCTURES)
def test_frames_are_those_that_are_due(tmp_path, name, rate, threads):
    path = write_clip(tmp_path / "a.mp4", 90, rate=30, options=STRUCTURES[name])
    source = VideoFile(str(path), rate=rate, threads=threads)
    frames = [(frame.index, frame.time, number_of(frame.rgb())) for frame in source]
    source.close()
    interval = max(1 / rate, 1 / 30)
    steps = [b[1] - a[1] for a, b in pairwise(frames)]
    assert len(frames) == pytest.approx(3 / interval, abs=2)
    assert min(steps) > interval / 2
    assert max(steps) <= 2 * interval + 1e-6
    for index, time, number in frames:
        assert time == pytest.approx(index / 30, abs=1e-3)
        assert number == index % 29


@dataclass
class Decoder:
    """Images at given times; key frames at some of them."""

    times: list[float]
    keys: frozenset[float]
    skip: str = "DEFAULT"

    def __iter__(self):
        for time in self.times:
            is_key = time in self.keys
            if self.skip == "NONKEY" and not is_key:
                continue
            image = SimpleNamespace(key_frame=is_key, pict_type=PictureType.I)
            self.skips.append(self.skip)
            yield DecodedImage(image, time, 0)

    def __post_init__(self):
        self.skips = []


def filtered(times, keys, rate, interval=0.1):
    decoder = Decoder(times, frozenset(keys))
    passed = [(d.pts, d.lost) for d in RateFilter(decoder, rate, interval, decoder)]
    return passed, decoder.skips


def test_only_key_frames_are_decoded_if_they_come_often_enough():
    times = [n / 10 for n in range(100)]
    passed, skips = filtered(times, times[::5], 2)
    assert [pts for pts, _ in passed] == times[::5]
    assert [lost for _, lost in passed] == [0] + [4] * 19
    assert skips[-1] == "NONKEY"
    assert len(skips) < 30


def test_more_is_decoded_when_key_frames_become_rare():
    times = [n / 10 for n in range(200)]
    passed, skips = filtered(times, [*times[:50:5], times[100]], 2)
    steps = [b - a for (a, _), (b, _) in pairwise(passed)]
    assert [step for step in steps if step > 1.0] == [pytest.approx(5.5)]  # found out only once
    assert skips[-1] == "NONREF"


def test_timestamps_that_jump():
    times = [0.0, 0.1, 0.2, 0.3, 1000.0, 1000.1, 1000.2, 1000.3, 5.0, 5.1, 5.2, 5.3]
    passed, _ = filtered(times, [0.0], 5)
    assert [pts for pts, _ in passed] == [0.0, 0.2, 1000.0, 1000.2, 5.0, 5.2]


def test_images_without_timestamps_are_counted(tmp_path):
    path = write_clip(tmp_path / "raw.h264")  # 25 images, 25 per second
    with closing(VideoFile(str(path), rate=5)) as source:
        found = [(frame.index, round(frame.time, 6)) for frame in source]
    assert found == [(0, 0.0), (5, 0.2), (10, 0.4), (15, 0.6), (20, 0.8)]


def test_a_missing_timestamp_does_not_let_more_images_pass():
    image = SimpleNamespace(key_frame=False, pict_type=PictureType.I)
    times = [None if n % 3 else n / 10 for n in range(30)]
    passed = list(RateFilter([DecodedImage(image, pts, 0) for pts in times], 2, 0.1))
    assert len(passed) == 6


def test_a_loop_goes_on_at_the_same_rate(tmp_path):
    path = write_clip(tmp_path / "a.mp4", 30, rate=30)
    source = VideoFile(str(path), rate=5, loop=True)
    assert source.frames is None
    times = [frame.time for frame, _ in zip(source, range(20), strict=False)]
    source.close()
    steps = [b - a for a, b in pairwise(times)]
    assert max(steps) <= 0.4
    assert min(steps) > 0
