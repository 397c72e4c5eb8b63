import cv2
import numpy as np
import pytest

from tests.clips import number_of, numbered_image
from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.animation import CHUNK, is_animated_webp
from vidan_plugins.sources.ffmpeg.file import VideoFile


def write(path, count, durations):
    animation = cv2.Animation()
    animation.frames = [numbered_image(n)[..., ::-1].copy() for n in range(count)]
    animation.durations = np.array(durations, np.int32)
    assert cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 101])
    return path


def test_an_animation_is_a_video(tmp_path, warnings):
    path = write(tmp_path / "a.webp", 5, [40, 40, 200, 40, 40])
    source = VideoFile(str(path))
    assert (source.frames, source.image_size) == (5, (64, 48))
    frames = list(source)
    assert [number_of(f.rgb()) for f in frames] == list(range(5))
    assert [f.index for f in frames] == list(range(5))
    assert [f.time for f in frames] == pytest.approx([0, 0.04, 0.08, 0.28, 0.32])
    assert np.abs(frames[0].rgb()[5, 5].astype(int) - (255, 0, 0)).max() < 5
    assert not warnings()


def test_a_long_animation_is_read_in_parts(tmp_path):
    count = 2 * CHUNK + 3
    frames = list(VideoFile(str(write(tmp_path / "a.webp", count, [50] * count))))
    assert [number_of(f.rgb()) for f in frames] == [n % 29 for n in range(count)]
    assert [f.time for f in frames] == pytest.approx([n / 20 for n in range(count)])


def test_a_still_image_is_no_animation(tmp_path):
    cv2.imwrite(str(tmp_path / "a.webp"), numbered_image(3))
    assert not is_animated_webp(tmp_path / "a.webp")
    assert len(list(VideoFile(str(tmp_path / "a.webp")))) == 1


def test_a_damaged_animation_is_an_error(tmp_path):
    path = write(tmp_path / "a.webp", 5, [40] * 5)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SourceError, match="get it again"):
        list(VideoFile(str(path)))
