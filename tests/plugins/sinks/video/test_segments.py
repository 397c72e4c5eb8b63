import datetime
import time

import av
import pytest

from tests.clips import number_of
from vidan import ConfigError, SinkError
from vidan.config.build import build
from vidan_plugins.sinks.video import recording
from vidan_plugins.sinks.video import segments as segments_module
from vidan_plugins.sinks.video import sink as video
from vidan_plugins.sinks.video.segments import Segments
from vidan_plugins.sinks.video.sink import VideoSink

from ..test_rotation import touch
from .test_sink import read, result

NOON = datetime.datetime(2026, 3, 4, 12, 0, 0).timestamp()  # local time


@pytest.fixture
def clock(monkeypatch):
    """Sets the system clock: seconds since noon. `monotonic` equals it, counted from 0."""

    def set_clock(seconds):
        monkeypatch.setattr(segments_module.time, "time", lambda: NOON + seconds)
        monkeypatch.setattr(segments_module.time, "monotonic", lambda: seconds)

    set_clock(0.0)
    return set_clock


def write_all(path, numbers, rate=25, **options):
    sink = VideoSink(str(path), drawing=None, **options)
    for n in numbers:
        sink.write(result(n, n / rate))
    sink.close()
    return sorted(path.parent.glob("*.mp4"))


def test_no_frame_is_lost_or_repeated_between_files(tmp_path, clock):
    # 250 frames at 25/s are 10 s, from 12:00:00 on: files of 3, 3, 3 and 1 s
    files = write_all(tmp_path / "video.mp4", range(250), segment="3s")
    assert [f.name for f in files] == [
        f"video-2026-03-04_12-00-0{second}.mp4" for second in (0, 3, 6, 9)
    ]
    shown = [read(file)[2] for file in files]
    assert [len(frames) for frames in shown] == [75, 75, 75, 25]
    numbers = [number_of(rgb) for frames in shown for _, rgb in frames]
    assert numbers == [n % 29 for n in range(250)]
    for file, frames in zip(files, shown, strict=True):
        assert frames[0][0] == 0
        data = file.read_bytes()
        assert data.find(b"moov") < data.find(b"mdat")  # each file is finished
        with av.open(str(file)) as container:
            assert next(container.demux(video=0)).is_keyframe


def test_files_start_at_multiples_of_the_length_on_the_clock(tmp_path, clock):
    clock(8.0)  # 12:00:08, so the first file covers 2 s of its 10
    sink = VideoSink(str(tmp_path / "a-{time}.mp4"), drawing=None, segment=10)
    for n in range(50):
        clock(8.0 + n / 4)
        frame = result(n, 100 + n / 4)  # 4 frames per second, for 12.5 s
        frame.frame.captured = 8.0 + n / 4
        sink.write(frame)
    sink.close()
    files = sorted(tmp_path.iterdir())
    seconds = ["08", "10", "20"]
    assert [f.name for f in files] == [f"a-2026-03-04_12-00-{s}.mp4" for s in seconds]
    assert [len(read(f)[2]) for f in files] == [8, 40, 2]


def starts(segments, times, captured=None):
    captured = times if captured is None else captured
    return [t for t, c in zip(times, captured, strict=True) if segments.starts(t, c)]


def test_without_a_length_there_is_one_segment(clock):
    assert starts(Segments(None), [0, 1000, 10, 100_000]) == [0]


def test_a_file_is_split_by_stream_time_however_fast_it_is_read(clock):
    times = [n * 10.0 for n in range(20)]
    assert starts(Segments(60), times, [0.0] * 20) == [0, 60, 120, 180]


def test_a_drifting_camera_clock_is_synchronized_at_each_split(clock):
    """The camera clock gains 0.5 %: 603 s in 600 s of the system clock."""
    segments, began = Segments(60), []
    for n in range(6000):
        now = n / 10
        clock(now)
        if segments.starts(now * 1.005, now):
            began.append(now)
    assert began == pytest.approx([60 * n for n in range(11)], abs=0.6)  # otherwise up to 3 s


def test_splitting_continues_after_the_source_clock_is_set_back(clock):
    times = [50.0, 55.0, 60.0, 65.0, 0.0, 5.0, 54.0, 56.0]  # set back at 12:00:15
    # Noon is stream time 50: a split at 60; then 0 is 15 s past noon, 5 is 20, 54 is 69, 56 is 71.
    assert starts(Segments(10), times, [0.0] * 8) == [50, 60, 5, 54, 56]


def test_jitter_at_a_split_does_not_cause_another_one(clock):
    assert starts(Segments(10), [0, 9.9, 10.0, 9.95, 10.1], [0.0] * 5) == [0, 10.0]


def test_a_run_keeps_the_requested_number_of_files(tmp_path, clock):
    old = touch(tmp_path, "v-2025-01-01_00-00-00.mp4", 1000)
    other = touch(tmp_path, "w-2025-01-01_00-00-00.mp4", 1000)
    write_all(tmp_path / "v.mp4", range(200), segment="1s", keep=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *(f"v-2026-03-04_12-00-0{second}.mp4" for second in (5, 6, 7)),
        other.name,
    ]
    assert not old.exists()


def test_few_files_are_unfinished_when_finishing_is_slow(tmp_path, clock, monkeypatch):
    finish, there = recording.put_index_in_front, []

    def finish_slowly(path):
        time.sleep(0.02)
        there.append(len(list(tmp_path.glob("*.mp4"))) - len(there))
        finish(path)

    monkeypatch.setattr(recording, "put_index_in_front", finish_slowly)
    files = write_all(tmp_path / "v.mp4", range(100), segment="0.2s")  # 5 frames each
    assert len(files) == 20
    assert (
        max(there) <= video.MAX_UNFINISHED + 2
    )  # plus the one being finished and the one being written


def test_no_file_is_overwritten(tmp_path, clock):
    for _ in range(3):
        files = write_all(tmp_path / "v.mp4", range(10), segment="1h")
    name = "v-2026-03-04_12-00-00"
    assert sorted(f.name for f in files) == [f"{name}-2.mp4", f"{name}-3.mp4", f"{name}.mp4"]


def test_a_damaged_earlier_file_ends_the_recording(tmp_path, clock, monkeypatch):
    finish = recording.put_index_in_front

    damaged = []

    def damage(path):  # only the first: others may be finished before the writer raises
        finish(path)
        if not damaged:
            damaged.append(path)
            path.write_bytes(path.read_bytes()[:200])

    monkeypatch.setattr(recording, "put_index_in_front", damage)
    sink = VideoSink(str(tmp_path / "v.mp4"), drawing=None, segment=1)

    def write_on():
        for n in range(10_000):
            sink.write(result(n))

    with pytest.raises(SinkError, match="cannot be read back"):
        write_on()
    sink.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"segment": "10 parsecs"}, r"sink.video.segment='10 parsecs': expected a number above 0 "),
        ({"segment": 0}, "sink.video.segment=0: expected a number above 0"),
        ({"segment": "0s"}, "sink.video.segment='0s'"),
        ({"segment": "50GB"}, "sink.video.segment='50GB'"),
        ({"keep": "much"}, "sink.video.keep='much': expected a size such as 20GB, an age"),
        ({"keep": 0}, "sink.video.keep=0: expected a size .*, a number, or several"),
        ({"segment": 1, "path": "{tim}.mp4"}, r"\{tim\}: did you mean 'time'"),
    ],
)
def test_invalid_options_are_refused(tmp_path, options, message, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        build("sink", {"name": "video", "path": "v.mp4", **options}, "sink.video")
    assert list(tmp_path.iterdir()) == []
