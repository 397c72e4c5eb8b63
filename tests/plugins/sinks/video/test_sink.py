import errno
import itertools
import logging
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.clips import number_of, numbered_image
from vidan import ConfigError, Detections, Result, SinkError, Tracks
from vidan.config.build import build
from vidan.frames import ArrayFrame
from vidan_plugins.sinks.errors import write_error
from vidan_plugins.sinks.video import mp4, recording
from vidan_plugins.sinks.video.sink import VideoSink
from vidan_plugins.sources.ffmpeg.file import VideoFile


def result(number, time=None, size=(64, 48), rgb=None):
    rgb = numbered_image(number, *size) if rgb is None else rgb
    time = number / 25 if time is None else time
    frame = ArrayFrame(rgb, index=number, time=time, captured=0.0, stream="test")
    return Result(frame, Detections.empty(), Tracks.empty())


def write(path, results, **options):
    sink = VideoSink(str(path), drawing=None, **options)
    for each in results:
        sink.write(each)
    sink.close()
    sink.close()
    return path


def read(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
        return stream.codec_context, float(stream.duration * stream.time_base), frames


def test_the_video_is_in_a_format_that_browsers_and_phones_play(tmp_path):
    path = write(tmp_path / "deep/er/video.mp4", [result(n) for n in range(30)])
    codec, duration, frames = read(path)
    assert (codec.name, codec.pix_fmt, codec.width, codec.height) == ("h264", "yuv420p", 64, 48)
    assert (codec.colorspace, codec.color_range) == (1, 1)  # BT.709, limited
    data = path.read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")  # faststart
    assert [number_of(rgb) for _, rgb in frames] == [n % 29 for n in range(30)]
    assert duration == pytest.approx(30 / 25)
    assert not list(tmp_path.rglob("*.part"))


def test_a_variable_frame_rate_is_preserved(tmp_path):
    # 25 frames per second, then a gap of 2 s, then 10 frames per second; from 100 s on
    times = [100 + n / 25 for n in range(10)] + [102.4 + n / 10 for n in range(10)]
    path = write(tmp_path / "v.mp4", [result(n, time) for n, time in enumerate(times)])
    _, duration, frames = read(path)
    assert [time for time, _ in frames] == pytest.approx([t - 100 for t in times], abs=1e-4)
    assert duration == pytest.approx(times[-1] - 100 + 0.1, abs=1e-3)  # the last frame is shown too


def test_equal_stream_times_get_increasing_timestamps(tmp_path):
    path = write(tmp_path / "v.mp4", [result(n, 1.0) for n in range(5)])
    times = [time for time, _ in read(path)[2]]
    assert times == sorted(set(times))
    assert len(times) == 5


@pytest.mark.parametrize(("size", "even"), [((321, 241), (322, 242)), ((17, 20), (18, 20))])
def test_odd_sizes_are_made_even_by_repeating_the_edge(tmp_path, size, even):
    rgb = np.zeros((size[1], size[0], 3), np.uint8)
    rgb[:, -1] = rgb[-1, :] = 200
    path = write(tmp_path / "v.mp4", [result(0, rgb=rgb)], crf=0)
    codec, _, frames = read(path)
    assert (codec.width, codec.height) == even
    assert frames[0][1][:, -1].mean() == pytest.approx(200, abs=8)


def test_timestamps_continue_after_the_source_clock_is_set_back(tmp_path):
    # 10 frames per second; before the fourth frame the clock is set back by 20 s
    times = [50.0, 50.1, 50.2, 30.3, 30.4]
    path = write(tmp_path / "v.mp4", [result(n, time) for n, time in enumerate(times)])
    shown = [time for time, _ in read(path)[2]]
    assert shown == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-4)


@pytest.mark.parametrize("time", [float("nan"), float("inf")])
def test_a_frame_without_a_finite_time_is_an_error(tmp_path, time):
    sink = VideoSink(str(tmp_path / "v.mp4"), drawing=None)
    with pytest.raises(SinkError, match="has no finite time"):
        sink.write(result(0, time))
    sink.close()


def test_a_frame_too_large_for_h264_is_an_error(tmp_path):
    sink = VideoSink(str(tmp_path / "v.mp4"), drawing=None)
    with pytest.raises(SinkError, match="20000x2 px is too large"):
        sink.write(result(0, size=(20000, 2)))
    sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match="not a regular file"):
        VideoSink(str(tmp_path / "pipe"))


def test_a_video_of_a_single_frame(tmp_path):
    _, duration, frames = read(write(tmp_path / "v.mp4", [result(3)]))
    assert len(frames) == 1
    assert duration == pytest.approx(1 / 30)


def test_the_file_source_reads_the_same_colors(tmp_path):
    path = write(tmp_path / "v.mp4", [result(0)], crf=10)
    (frame,) = VideoFile(str(path))
    assert np.abs(frame.rgb().astype(int) - numbered_image(0)).mean() < 6


def test_without_frames_there_is_no_file(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        write(tmp_path / "v.mp4", [])
    assert list(tmp_path.iterdir()) == []
    assert "no frames" in caplog.text


def test_results_are_drawn_only_if_requested(tmp_path):
    boxes = np.array([[10, 10, 40, 40]], np.float32)
    found = Detections(boxes, np.ones(1, np.float32), np.zeros(1, np.int32))
    black = result(0, rgb=np.zeros((120, 160, 3), np.uint8)).frame
    for draw in (True, False):
        sink = VideoSink(str(tmp_path / f"{draw}.mp4"), drawing={} if draw else None)
        sink.write(Result(black, found, Tracks.empty(), ("thing",)))
        sink.close()
    drawn, plain = (read(tmp_path / f"{draw}.mp4")[2][0][1] for draw in (True, False))
    assert drawn.max() > 100
    assert plain.max() < 20
    assert black.rgb().max() == 0  # the image of the frame is unchanged


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crf": 52}, "sink.video.crf: expected `int` <= 51, not 52"),
        ({"threads": -1}, "sink.video.threads: expected `int` >= 0, not -1"),
        ({"preset": "veryfst"}, "sink.video.preset.*'veryfst'"),
        ({"drawing": {"ids": 1}}, "sink.video.drawing.ids: expected `bool`, got `int`, not 1"),
    ],
)
def test_invalid_options_are_refused(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        build("sink", {"name": "video", "path": str(tmp_path / "v.mp4"), **options}, "sink.video")


def test_an_unwritable_path_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file/v.mp4"):
        with pytest.raises(SinkError, match=f"cannot write '{path}'"):
            VideoSink(str(path))


def test_a_missing_encoder_is_named_in_the_error(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(SinkError, match="FFmpeg has no encoder libx264"):
        VideoSink(str(tmp_path / "v.mp4"))


def test_an_existing_file_is_kept_until_the_first_frame(tmp_path):
    path = tmp_path / "v.mp4"
    path.write_bytes(b"old")
    write(path, [])
    assert path.read_bytes() == b"old"


def test_a_change_of_the_frame_size_is_an_error_and_earlier_frames_are_kept(tmp_path):
    sink = VideoSink(str(tmp_path / "v.mp4"), drawing=None)
    for n in range(5):
        sink.write(result(n))
    with pytest.raises(SinkError, match=r"the frame size changed from 64x48 to 32x48 px"):
        sink.write(result(5, size=(32, 48)))
    sink.close()
    assert len(read(tmp_path / "v.mp4")[2]) == 5


def replace_by_black(path):
    """Replace the file by a black video of the same size and length."""
    black = np.zeros((48, 64, 3), np.uint8)
    write(path, [result(n, rgb=black) for n in range(10)])


def replace_by_shorter(path):
    write(path, [result(n) for n in range(9)])


def replace_by_smaller(path):
    write(path, [result(n, size=(32, 32)) for n in range(10)])


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


def test_dark_frames_that_turned_black_are_detected(tmp_path, monkeypatch):
    """200 dark frames, at most 24 of 255; in the file, frames 60 to 139 are black."""
    rng = np.random.default_rng(2)
    dark = np.kron(rng.integers(0, 25, (6, 8, 1)), np.ones((8, 8, 3))).astype(np.uint8)
    black = np.zeros_like(dark)
    finish = mp4.put_index_in_front

    def damage(path):
        monkeypatch.setattr(recording, "put_index_in_front", finish)
        write(path, [result(n, rgb=black if 60 <= n < 140 else dark) for n in range(200)])

    monkeypatch.setattr(recording, "put_index_in_front", damage)
    with pytest.raises(SinkError, match=r"does not show what was written to it at 2.40 s"):
        write(tmp_path / "v.mp4", [result(n, rgb=dark) for n in range(200)])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (replace_by_black, "does not show what was written"),
        (replace_by_shorter, "has 9 frames, 10 were written"),
        (replace_by_smaller, r"is \(32, 32\) px, \(64, 48\) were written"),
        (truncate, "cannot be read back"),
    ],
)
def test_a_damaged_file_is_an_error(tmp_path, monkeypatch, damage, message):
    finish = recording.put_index_in_front

    def finish_and_damage(path):
        finish(path)
        monkeypatch.setattr(recording, "put_index_in_front", finish)
        damage(path)

    monkeypatch.setattr(recording, "put_index_in_front", finish_and_damage)
    with pytest.raises(SinkError, match=message):
        write(tmp_path / "v.mp4", [result(n, rgb=numbered_image(5)) for n in range(10)])


FULL_DISK = """
import resource, signal, sys
import numpy as np
from tests.plugins.sinks.video.test_sink import result
from vidan import SinkError
from vidan_plugins.sinks.video.sink import VideoSink

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
noise = np.random.default_rng(1)
sink = VideoSink(sys.argv[1], drawing=None, preset="ultrafast")
try:
    for n in range(400):
        rgb = noise.integers(0, 255, (240, 320, 3), dtype=np.uint8)
        sink.write(result(n, rgb=rgb))
except SinkError as error:
    print(error)
sink.close()
print("closed")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE on Windows")
@pytest.mark.parametrize(
    ("max_bytes", "frames"),
    [
        (6_000_000, 60),  # a frame of this noise takes about 50 kB: the first fragment is complete
        (300_000, 1),  # it is not
        (500, 0),  # nor is the file header
    ],
)
def test_a_full_disk_is_one_error_and_the_video_can_be_played(tmp_path, max_bytes, frames):
    path = tmp_path / "v.mp4"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path), str(max_bytes)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    first, last = done.stdout.splitlines()
    assert first.startswith(f"cannot write '{path}': ")
    assert first.endswith("free disk space or choose another path")
    assert last == "closed"
    if not frames:
        assert not path.exists()
        return
    with av.open(str(path)) as container:
        decoded = container.decode(video=0)
        assert len(list(itertools.islice(decoded, frames))) == frames
        if frames > 1:
            list(decoded)  # to the end, without a damaged frame


KILLED = """
import os, signal, sys
from tests.plugins.sinks.video.test_sink import result
from vidan_plugins.sinks.video.sink import VideoSink

sink = VideoSink(sys.argv[1], drawing=None)
for n in range(200):
    sink.write(result(n))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_the_video_of_a_killed_run_can_be_played(tmp_path):
    path = tmp_path / "v.mp4"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )
    assert done.returncode == -9
    _, _, frames = read(path)
    # 200, without a fragment of 60 and the frames still in the encoder
    assert len(frames) >= 60
    assert [number_of(rgb) for _, rgb in frames] == [n % 29 for n in range(len(frames))]


HOUR = 3600.0


def test_a_pause_of_many_hours_starts_a_new_file(tmp_path):
    """MP4 cannot express a frame of more than 6.6 h; a camera may be off overnight."""
    times = [0.0, 0.04, 0.08, 7 * HOUR, 7 * HOUR + 0.04, 100 * HOUR, 105 * HOUR]
    sink = VideoSink(str(tmp_path / "v.mp4"), drawing=None)
    for n, time in enumerate(times):
        sink.write(result(n, time))
    sink.close()
    found = []
    for path in sink.outputs:
        _, _, frames = read(path)
        found.append([(round(time, 3), number_of(rgb)) for time, rgb in frames])
    assert [Path(path).name for path in sink.outputs] == ["v.mp4", "v-2.mp4", "v-3.mp4"]
    assert found == [
        [(0.0, 0), (0.04, 1), (0.08, 2)],
        [(0.0, 3), (0.04, 4)],
        [(0.0, 5), (5 * HOUR, 6)],
    ]


def test_the_last_frame_is_not_shown_for_hours(tmp_path):
    path = write(tmp_path / "v.mp4", [result(0, 0.0), result(1, 5 * HOUR)])
    assert read(path)[1] == pytest.approx(5 * HOUR + 10)


def test_an_invalid_argument_is_not_blamed_on_the_disk():
    error = write_error("v.mp4", OSError(errno.EINVAL, "Invalid argument"))
    assert str(error) == "cannot write 'v.mp4': Invalid argument; choose another path"
