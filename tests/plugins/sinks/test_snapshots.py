import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vidan import ConfigError, Detections, Result, SinkError, Tracks
from vidan.config.build import build
from vidan.events import CROSSED, CROWDED, EXITED, Event
from vidan.frames import ArrayFrame
from vidan.testing import array_frame
from vidan_plugins.analytics.presence import Presence
from vidan_plugins.sinks.snapshots import Snapshots

LABELS = ("mask", "no/mask")


def result(index, *rows, time=None):
    """A result with tracks, given as id, class, and whether it was detected in this frame."""
    n = len(rows)
    rgb = np.full((120, 160, 3), 40, np.uint8)
    at = index / 10 if time is None else time
    frame = ArrayFrame(rgb, index=index, time=at, captured=0.0, stream="test")
    boxes = np.tile(np.array([[20, 20, 80, 100]], np.float32), (n, 1))
    tracks = Tracks(
        np.array([row[0] for row in rows], np.int64),
        boxes,
        np.ones(n, np.float32),
        np.array([row[1] for row in rows], np.int32),
        np.array([0 if row[2] else 1 for row in rows], np.int32),
        np.array([0 if row[2] else -1 for row in rows], np.int32),
    )
    return Result(frame, Detections.empty(), tracks, LABELS)


def saved(tmp_path, results, min_frames=5, **options):
    """Labels and ids of the images."""
    presence = Presence(confirm_after=min_frames)
    options = {"path": str(tmp_path / "shots/{time}-{label}-{id}.jpg"), "cooldown": 0.0} | options
    sink = Snapshots(**options)
    for each in results:
        sink.emit(presence.update(each))
        sink.write(each)
    sink.close()
    names = [path.name for path in (tmp_path / "shots").iterdir() if path.name != "holiday.jpg"]
    return sorted(re.fullmatch(r"[\d-]+_[\d-]+-(\w+-\d+)\.jpg", name)[1] for name in names)


def test_there_is_one_image_of_each_confirmed_object(tmp_path):
    # 7 is detected in frames 0 to 9; 8 only in 0 and 1, and is coasting afterwards.
    results = [result(n, (7, 0, True), (8, 1, n < 2)) for n in range(10)]
    assert saved(tmp_path, results, min_frames=3) == ["mask-7"]


def test_only_objects_with_the_given_labels_are_saved(tmp_path):
    results = [result(n, (7, 0, True), (8, 1, True)) for n in range(10)]
    assert saved(tmp_path, results, labels="no/mask") == ["no_mask-8"]


def test_there_is_one_image_per_label_within_the_cooldown(tmp_path):
    # A new object every second; the one at 2 s has another label. Cooldown: 3 s from each image.
    rows = [(n, 1 if n == 2 else 0, True) for n in range(8)]
    results = [result(n, row, time=float(n)) for n, row in enumerate(rows)]
    kept = saved(tmp_path, results, min_frames=1, cooldown=3.0)
    assert kept == ["mask-0", "mask-3", "mask-6", "no_mask-2"]


def test_the_cooldown_ends_if_the_source_clock_is_set_back(tmp_path):
    results = [result(0, (1, 0, True), time=1e6), result(1, (2, 0, True), time=0.0)]
    assert saved(tmp_path, results, min_frames=1, cooldown=3.0) == ["mask-1", "mask-2"]


def test_only_the_oldest_images_are_deleted(tmp_path):
    results = [result(n, (n, 0, True)) for n in range(20)]
    (tmp_path / "shots").mkdir()
    (tmp_path / "shots/holiday.jpg").touch()
    assert len(saved(tmp_path, results, min_frames=1, keep=4)) == 4
    assert (tmp_path / "shots/holiday.jpg").exists()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_results_are_drawn_only_if_requested(tmp_path, suffix):
    for draw in (True, False):
        path = str(tmp_path / f"{draw}-{{time}}.{suffix}")
        one = result(0, (1, 0, True))
        sink = Snapshots(path, drawing={} if draw else None)
        sink.emit(Presence(confirm_after=1).update(one))
        sink.write(one)
    drawn, plain = (cv2.imread(str(*tmp_path.glob(f"{draw}-*"))) for draw in (True, False))
    assert drawn.shape == plain.shape == (120, 160, 3)
    assert drawn.max() > 120
    assert plain.max() < 50


def of_events(tmp_path, *known, frames=40, **options):
    """Save images of events, given as the frame in which each is known and the event.

    Frame n is at n/10 s and has brightness n. Returns the brightness of the images by name.
    """
    options = {"events": "*", "drawing": None, "cooldown": 0.0} | options
    sink = Snapshots(str(tmp_path / "{time}-{rule}-{kind}-{id}.png"), **options)
    for n in range(frames):
        sink.emit([event for at, event in known if at == n])
        one = result(n)
        sink.write(replace(one, frame=array_frame(np.full((8, 8, 3), n, np.uint8), time=n / 10)))
    sink.emit([event for at, event in known if at >= frames])
    sink.close()
    shown = {path: int(cv2.imread(str(path)).mean()) for path in tmp_path.glob("*.png")}
    return {re.sub(r"^.{20}", "", path.stem): brightness for path, brightness in shown.items()}


def event(kind=CROSSED, time=1.0, phase="point", number=1, **given):
    given = {"track": 7, "label": "mask", "rule": "door"} | given
    return Event(str(number), kind, phase, "test", time=time, frame=0, **given)


def test_an_event_that_is_known_later_is_shown_when_it_happened(tmp_path):
    late = [(20, event(time=1.0)), (39, event(time=1.0, rule="till"))]
    # The second is known 2.9 s later: the oldest frame that is kept is from 1.5 s before.
    shown = of_events(tmp_path, *late)
    assert shown.pop("door-line_crossed-7") == 10
    assert 24 <= shown.pop("till-line_crossed-7") <= 25
    assert not shown


def test_few_frames_are_kept(tmp_path):
    sink = Snapshots(str(tmp_path / "a.jpg"), events=CROSSED)
    for n in range(300):
        sink.write(result(n, time=n / 100))
    assert len(sink._images._kept) <= 17
    only_new = Snapshots(str(tmp_path / "b.jpg"))
    for n in range(5):
        only_new.write(result(n))
    assert len(only_new._images._kept) == 1


def test_events_of_the_end_are_saved_too_and_each_interval_once(tmp_path):
    crowded = {"track": None, "label": None, "rule": "till"}
    shown = of_events(
        tmp_path,
        (5, event(CROWDED, 0.5, "start", **crowded)),
        (40, event(CROWDED, 3.9, "end", **crowded)),
        (40, event(EXITED, 3.9, "end")),
    )
    assert shown == {"till-zone_crowded-_": 5, "door-zone_left-7": 39}


def test_rules_and_kinds_can_be_chosen(tmp_path):
    known = [(n, event(kind, n / 10, number=n, rule=rule)) for n, (kind, rule) in enumerate(
        [(CROSSED, "door"), (CROSSED, "gate"), (EXITED, "gate"), (CROWDED, "gate")]
    )]  # fmt: skip
    shown = of_events(tmp_path, *known, events="zone.l*", rules=["gate"])
    assert list(shown) == ["gate-zone_left-7"]


def test_without_objects_there_are_no_images(tmp_path):
    sink = Snapshots(str(tmp_path / "shots/a.jpg"))
    assert sink.outputs == []
    sink.write(result(0))
    assert list((tmp_path / "shots").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "a.gif"}, r"sink.snapshots.path='a.gif': expected \.jpg"),
        ({"path": "a-{ide}.jpg"}, r"\{ide\}: did you mean 'id'"),
        ({"cooldown": -1}, "sink.snapshots.cooldown: expected `float` >= 0.0, not -1"),
        ({"quality": 101}, "sink.snapshots.quality: expected `int` <= 100, not 101"),
        ({"labels": []}, r"sink.snapshots.labels=\[\]"),
        ({"events": "line.crosed"}, "sink.snapshots.events: no kind 'line.crosed': did you mean"),
        ({"events": []}, r"sink.snapshots.events=\[\]"),
        ({"rules": []}, r"sink.snapshots.rules=\[\]"),
        ({"keep": -3}, "sink.snapshots.keep=-3"),
    ],
)
def test_invalid_options_are_refused(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        build("sink", {"name": "snapshots", "path": "a.jpg", **options}, "sink.snapshots")


def test_a_label_unknown_to_the_detector_is_an_error(tmp_path):
    sink = Snapshots(str(tmp_path / "a.jpg"), labels=["no_mask"])
    with pytest.raises(SinkError, match="no label 'no_mask': did you mean 'no/mask'"):
        sink.write(result(0))


def test_an_unwritable_folder_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        Snapshots(str(tmp_path / "file/a.jpg"))
