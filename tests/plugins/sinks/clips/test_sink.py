"""Clips of numbered images: which frames are in them is read from the files."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from tests.clips import number_of, numbered_image
from vidan import ConfigError, Detections, Result, SinkError, Tracks
from vidan.config.build import build
from vidan.events import CROSSED, CROWDED, EXITED, Event
from vidan.frames import ArrayFrame
from vidan.testing import SinkSuite, result
from vidan_plugins.sinks.clips.sink import Clips

FPS = 10
LABELS = ("car", "bus")


class TestClips(SinkSuite):
    def make(self, tmp_path):
        return Clips(str(tmp_path / "{time}-{label}.mp4"), events="object.*", before=1, after=1)

    def check(self, tmp_path, results):
        (clip,) = tmp_path.glob("*.mp4")
        with av.open(str(clip)) as container:
            assert len(list(container.decode(video=0))) == len(results)


def frame(time, size=(64, 48)):
    """A frame that shows its time in tenths of a second, modulo 29."""
    rgb = numbered_image(round(time * 10), *size)
    return ArrayFrame(rgb, index=round(time * FPS), time=time, captured=0.0, stream="test")


def event(time, *, known=None, kind=CROSSED, phase="point", number=None, **given):
    given = {"track": 7, "label": "car", "rule": "door"} | given
    data = {} if known is None else {"delay": known - time}
    return Event(str(number or time), kind, phase, "test", time=time, frame=0, data=data, **given)


def write(tmp_path, times, events, at_end=(), **options):
    """Write frames at these times, and events with the frame with which they become known."""
    given = {"events": "*", "before": 2.0, "after": 1.0, "drawing": None} | options
    sink = Clips(str(tmp_path / "{time}-{rule}-{id}.mp4"), **given)
    left = sorted(events, key=lambda e: e.known)
    for time in times:
        while left and left[0].known <= time:
            sink.emit([left.pop(0)])
        sink.write(Result(frame(time), Detections.empty(), Tracks.empty(), LABELS))
    sink.emit(at_end)
    sink.close()
    sink.close()
    return clips(tmp_path)


def clips(tmp_path):
    """The files, by the time of their first frame."""
    return sorted(tmp_path.glob("*.mp4"), key=lambda path: sidecar(path)["start"])


def sidecar(path):
    return json.loads(path.with_suffix(".json").read_text())


def shown(path):
    """Stream times of the frames, which the sidecar and the timestamps tell; checks the images."""
    start = sidecar(path)["start"]
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    assert decoded[0].key_frame
    times = [start + f.time for f in decoded]
    numbers = [number_of(f.to_ndarray(format="rgb24")) for f in decoded]
    assert numbers == [round(10 * time) % 29 for time in times]
    assert times[-1] == pytest.approx(sidecar(path)["end"])
    return times


def tenths(start, end):
    """Times from start to end, s, ten each second."""
    return [n / 10 for n in range(round(start * 10), round(end * 10))]


@pytest.mark.parametrize("delay", [0.0, 0.9, 4.5])
@pytest.mark.parametrize("time", [10.0, 10.37])
def test_a_clip_contains_its_event(tmp_path, time, delay):
    (clip,) = write(tmp_path, tenths(0, 30), [event(time, known=time + delay)])
    times = shown(clip)
    assert time - 3 <= times[0] <= time - 2
    assert time + 1 <= times[-1] <= time + 1.1
    assert times == pytest.approx(tenths(times[0], times[-1] + 0.1))
    assert [e["time"] for e in sidecar(clip)["events"]] == [time]
    assert clip.read_bytes().find(b"moov") < clip.read_bytes().find(b"mdat")


def test_clips_at_the_ends_of_the_stream_are_shorter(tmp_path):
    first, last = write(tmp_path, tenths(0, 20), [event(0.5), event(19.5)])
    assert shown(first)[0] == 0
    assert shown(last)[-1] == pytest.approx(19.9)


def test_events_that_become_known_at_the_end_have_clips(tmp_path):
    left = event(19.0, kind=EXITED, phase="end")
    (clip,) = write(tmp_path, tenths(0, 20), [], at_end=[left])
    assert shown(clip)[-1] == pytest.approx(19.9)


def test_overlapping_events_share_a_clip_named_after_the_first(tmp_path):
    events = [
        event(10, rule="a"),
        event(11.5, rule="b"),
        event(14.4, rule="c"),
        event(20, rule="d"),
    ]
    one, other = write(tmp_path, tenths(0, 30), events)
    assert [e["rule"] for e in sidecar(one)["events"]] == ["a", "b", "c"]
    assert "-a-7" in one.name
    assert shown(one)[-1] == pytest.approx(15.4, abs=0.11)
    assert [e["rule"] for e in sidecar(other)["events"]] == ["d"]


def test_an_event_within_a_clip_that_becomes_known_after_its_end_extends_it(tmp_path):
    late = event(10.9, known=14.0, rule="late")
    (clip,) = write(tmp_path, tenths(0, 30), [event(10), late])
    assert shown(clip)[-1] == pytest.approx(11.9, abs=0.11)


def test_an_earlier_event_that_becomes_known_later_is_shown_whole(tmp_path):
    late = event(8.0, known=12.0)
    found = write(tmp_path, tenths(0, 30), [event(10), late])
    assert len(found) == 2
    assert shown(found[0])[0] <= 6


def test_a_clip_is_not_extended_forever(tmp_path):
    found = write(tmp_path, tenths(0, 60), [event(n) for n in range(5, 55)], max_length=20.0)
    assert len(found) == 3
    spans = [(times[0], times[-1]) for times in map(shown, found)]
    assert all(end - start <= 22 for start, end in spans)
    assert all(any(start <= n - 1 and n + 1 <= end for start, end in spans) for n in range(5, 55))


def test_an_event_that_is_known_too_late_has_no_clip_and_a_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert write(tmp_path, tenths(0, 60), [event(5, known=40)], max_delay=3.0) == []
    assert (
        "1 events became known too late for a clip: set max_delay to more than 3 s" in caplog.text
    )


def test_a_variable_frame_rate_is_preserved(tmp_path):
    times = [0.0, 0.3, 0.4, 1.2, 1.3, 2.5, 2.6, 2.7, 3.5, 4.4, 4.5, 5.2]
    (clip,) = write(tmp_path, times, [event(2.6)], before=0.0, after=1.0)
    assert shown(clip) == pytest.approx([2.5, 2.6, 2.7, 3.5, 4.4])


def test_a_pause_of_hours_is_not_in_a_clip(tmp_path):
    times = tenths(0, 10) + tenths(10_000, 10_020)
    before, after = write(tmp_path, times, [event(9.5), event(10_000.5)])
    assert shown(before)[-1] == pytest.approx(9.9)
    assert shown(after)[0] == pytest.approx(10_000)
    assert shown(after)[-1] == pytest.approx(10_001.5)


def test_memory_holds_the_latest_seconds_only(tmp_path):
    sink = Clips(str(tmp_path / "a.mp4"), events="*", before=2.0, max_delay=1.0)
    for time in tenths(0, 60):
        sink.write(Result(frame(time), Detections.empty(), Tracks.empty(), LABELS))
    assert 30 <= len(sink._ring._kept) <= 42
    sink.close()


def test_clips_continue_after_the_clock_is_set_back_or_the_size_changes(tmp_path):
    sink = Clips(str(tmp_path / "{time}-{rule}.mp4"), events="*", before=1, after=1, drawing=None)
    for time in tenths(50, 55):
        sink.emit([event(54.5, rule="first")] if time == 54.5 else [])
        sink.write(Result(frame(time), Detections.empty(), Tracks.empty()))
    for time in tenths(0, 5):
        sink.emit([event(0, rule="second")] if time == 0 else [])
        sink.write(Result(frame(time), Detections.empty(), Tracks.empty()))
    for time in tenths(5, 10):
        sink.emit([event(6, rule="third")] if time == 6 else [])
        sink.write(Result(frame(time, (128, 96)), Detections.empty(), Tracks.empty()))
    sink.close()
    second, third, first = clips(tmp_path)
    assert "first" in first.name
    assert shown(first)[-1] == pytest.approx(54.9)
    assert shown(second)[0] == 0
    assert shown(third)[0] == 5
    assert shown(third)[-1] == pytest.approx(7, abs=0.11)


def test_an_interval_and_the_cooldown_make_few_clips(tmp_path):
    crowded = {"kind": CROWDED, "number": 1, "track": None, "label": None}
    start, end = event(10, phase="start", **crowded), event(30, phase="end", **crowded)
    (clip,) = write(tmp_path, tenths(0, 40), [start, end])
    assert clip.stem.endswith("door-_")
    others = [event(n) for n in (5, 15, 25)]
    found = write(tmp_path / "other", tenths(0, 40), others, cooldown=12.0)
    assert [sidecar(c)["events"][0]["time"] for c in found] == [5, 25]


def test_results_are_drawn_only_if_requested(tmp_path):
    for draw in (True, False):
        sink = Clips(
            str(tmp_path / f"{draw}-{{time}}.mp4"), events="*", drawing={} if draw else None
        )
        sink.emit([event(0.0)])
        sink.write(result(boxes=[[20, 20, 80, 100]]))
        sink.close()
    images = {}
    for path in clips(tmp_path):
        with av.open(str(path)) as container:
            (only,) = container.decode(video=0)
        images[path.name.partition("-")[0]] = only.to_ndarray(format="rgb24").astype(int)
    plain = result(boxes=[[20, 20, 80, 100]]).frame.rgb().astype(int)
    assert abs(images["False"] - plain).mean() < 3
    assert abs(images["True"] - images["False"]).max() > 60


def test_old_clips_are_deleted_with_their_sidecars(tmp_path):
    other = tmp_path / "holiday.json"
    other.touch()
    found = write(tmp_path, tenths(0, 60), [event(n) for n in (5, 15, 25, 35, 45)], keep=2)
    assert [sidecar(c)["events"][0]["time"] for c in found] == [35, 45]
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a.mkv"}, r"sink.clips.path='a.mkv': expected \.mp4"),
        ({"path": "{ide}.mp4"}, r"\{ide\}: did you mean 'id'"),
        ({"events": "line.crosed"}, "sink.clips.events: no kind 'line.crosed': did you mean"),
        ({"before": 700}, "sink.clips.before: expected `float` <= 600.0"),
        ({"before": 200, "after": 200}, "sink.clips.max_length=300.0: expected at least .* 400 s"),
        ({"crf": 52}, "sink.clips.crf: expected `int` <= 51"),
        ({"keep": 0}, "sink.clips.keep=0"),
    ],
)
def test_invalid_options_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        build("sink", {"name": "clips", "path": "a.mp4", "events": "*", **options}, "sink.clips")
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        Clips(str(tmp_path / "file/a.mp4"), events="*")


KILLED = """
import os, signal, sys
from tests.plugins.sinks.clips.test_sink import event, frame, tenths
from vidan import Detections, Result, Tracks
from vidan_plugins.sinks.clips.sink import Clips

sink = Clips(sys.argv[1] + "/{time}.mp4", events="*", before=2.0, after=60.0, drawing=None)
for time in tenths(0, 20):
    sink.emit([event(10.0)] if time == 10 else [])
    sink.write(Result(frame(time), Detections.empty(), Tracks.empty()))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows")
def test_the_clip_of_a_killed_run_can_be_played(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[4])},
        check=False,
    )
    assert done.returncode == -9
    (path,) = tmp_path.glob("*.mp4")
    assert sidecar(path)["events"][0]["time"] == 10
    with av.open(str(path)) as container:
        times = [f.time for f in container.decode(video=0)]
    # 8 to 20 s, without a fragment of 1 s and the frames still in the encoder
    assert 9 < times[-1] < 13
