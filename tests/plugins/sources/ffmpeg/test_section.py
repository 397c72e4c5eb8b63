"""A part of a file has the frames of the whole file."""

import numpy as np
import pytest

from tests.clips import numbered_image, write_clip
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.section import duration, section

X264 = "keyint=13:min-keyint=5:bframes=3:scenecut=0:"
ENCODINGS = {
    "closed.mp4": ("libx264", {"x264-params": X264 + "open-gop=0"}),
    "open.mkv": ("libx264", {"x264-params": X264 + "open-gop=1"}),
    "refresh.mp4": ("libx264", {"x264-params": "keyint=20:intra-refresh=1"}),
    "mpeg4.mp4": ("mpeg4", {"g": "12", "bf": "2"}),
    "vp9.webm": ("libvpx-vp9", {"g": "20", "deadline": "realtime", "cpu-used": "8"}),
}


def whole(path):
    return [(frame.time, frame.rgb()) for frame in VideoFile(str(path))]


def parts(path, length):
    end = duration(str(path))
    assert end > 2 * length
    bounds = [*np.arange(0, end, length), np.inf]
    return [
        (frame.time, frame.rgb())
        for n in range(len(bounds) - 1)
        for frame in section(str(path), bounds[n], bounds[n + 1], stream="a", threads=2)
    ]


def same(one, other):
    assert [time for time, _ in one] == [time for time, _ in other]
    return all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("length", [2.3, 5.0])
def test_parts_have_the_times_and_pixels_of_the_whole(tmp_path, name, length):
    codec, options = ENCODINGS[name]
    random = np.random.default_rng(0)
    noise = [random.integers(0, 60, (48, 64, 3), np.uint8) for _ in range(7)]
    images = [numbered_image(n) // 2 + noise[n % 7] for n in range(300)]
    path = write_clip(tmp_path / name, images, codec=codec, options=options)
    assert same(parts(path, length), whole(path))


def test_parts_of_a_variable_frame_rate_have_the_times_of_the_whole(tmp_path):
    times = (40 * np.cumsum(np.random.default_rng(1).integers(1, 9, 200))).tolist()
    path = write_clip(tmp_path / "a.mkv", 200, times=times, options={"g": "15"})
    assert same(parts(path, 4.1), whole(path))


def test_a_file_whose_timestamps_may_jump_has_no_known_duration(tmp_path):
    assert duration(str(write_clip(tmp_path / "a.ts", 50))) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MOT16-09.mp4", "plaza.mp4"])
def test_parts_of_real_videos(data, name):
    path = data / "video" / name
    if not path.is_file():
        pytest.skip(f"no {name}")
    assert same(parts(path, 3.7), whole(path))
