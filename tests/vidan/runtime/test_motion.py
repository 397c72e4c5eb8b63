"""Which frames show motion and are detected, and what stays known while nothing moves."""

import cv2
import numpy as np
import pytest

from vidan import ConfigError, create
from vidan.runtime.motion import (
    CHECK_FRAMES,
    MotionMeter,
    MotionSelector,
    MotionSettings,
    TrackerClock,
)
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream
from vidan.testing import parts

from ..fakes import FakeDetector, FakeSink, FakeSource, FakeTracker, frame

FPS = 10
WIDTH, HEIGHT = 320, 180
PARKED = (100.0, 30.0, 140.0, 55.0)
"""A box, px."""

TEXTURE = cv2.resize(np.random.default_rng(7).uniform(60, 160, (18, 36)), (WIDTH + 4, HEIGHT))
NOISE = np.random.default_rng(8).normal(0, 1, (8, HEIGHT, WIDTH))


def street(index, boxes=(), *, noise=4.0, brighter=0.0, shift=0):
    """A textured gray image with sensor noise, and a rectangle for each box."""
    image = TEXTURE[:, shift : WIDTH + shift].copy()
    for x1, y1, x2, y2 in np.asarray(boxes, int).reshape(-1, 4):
        image[y1:y2, x1:x2] = 220
    image += brighter + noise * NOISE[index % len(NOISE)]
    rgb = np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    return parts.array_frame(rgb, index, time=index / FPS)


def moves(frames, **settings):
    meter = MotionMeter(MotionSettings(**settings))
    return [meter.moves(each) for each in frames]


@pytest.mark.parametrize("noise", [0, 4, 16])
def test_noise_is_no_motion(noise):
    assert moves(street(n, noise=noise) for n in range(40)) == [True] + [False] * 39


def test_an_object_moves_from_the_first_frame_in_which_it_is_elsewhere_until_it_stops():
    left = [0] * 20 + list(range(0, 150, 6)) + [150] * 60
    found = moves(street(n, [(x, 50, x + 10, 75)]) for n, x in enumerate(left))
    assert found[1:21] == [False] * 20
    assert all(found[21:45])
    assert not any(found[-30:])


def test_gradual_light_is_no_motion_and_neither_is_a_lamp_that_lights_everything():
    assert not any(moves(street(n, brighter=n * 0.2) for n in range(100))[1:])  # 2 levels/s
    assert not any(moves(street(n, brighter=40 * (n > 20)) for n in range(40))[1:])


def test_a_camera_that_shakes_a_little_sees_no_motion():
    assert not any(moves(street(n, shift=n % 3) for n in range(40))[1:])


def test_the_flicker_of_compressed_key_frames_is_no_motion():
    def flickering(index):
        image = street(index, noise=0).rgb().astype(int)
        blocks = np.random.default_rng(index // 12).integers(-4, 5, (HEIGHT // 4, WIDTH // 4))
        image += blocks.repeat(4, 0).repeat(4, 1)[..., None]
        return parts.array_frame(image.astype(np.uint8), index, time=index / FPS)

    assert not any(moves(flickering(n) for n in range(60))[1:])


def test_a_clock_in_the_image_can_be_ignored():
    frames = [street(n, [(20, 4, 40, 12)] * (n // 10 % 2)) for n in range(60)]
    assert any(moves(frames)[1:])
    assert not any(moves(frames, ignore=[[0.0, 0.0, 0.2, 0.1]])[1:])
    assert any(moves(frames, ignore=[[0.0, 0.0, 0.1, 0.1], [0.5, 0.5, 1.0, 1.0]])[1:])


@pytest.mark.parametrize("part", [[0.5, 0.1, 0.2, 0.9], [0.1, 0.1, 0.2], [0.1, 0.3, 0.2, 0.3]])
def test_a_part_that_is_none_is_an_error(part):
    with pytest.raises(ConfigError, match=r"detector.motion.ignore: \[0.* is no part of the image"):
        MotionSettings(ignore=[part])


def test_another_size_or_an_earlier_time_is_motion():
    small = parts.blank(2, width=32, height=24, time=0.2)
    frames = [street(0), street(1), small, parts.blank(3, width=32, height=24, time=0.1)]
    assert moves(frames) == [True, False, True, True]


@pytest.mark.parametrize("size", [(1, 1), (2, 700), (641, 3), (5, 5)])
def test_images_of_any_size(size):
    width, height = size
    frames = [parts.blank(n, width=width, height=height) for n in range(3)]
    white = np.full((height, width, 3), 255, np.uint8)
    assert moves([*frames, parts.array_frame(white, 3)])[:3] == [True, False, False]


def selected(moving, count, **settings):
    selector, found = MotionSelector(MotionSettings(**settings)), []
    for n in range(count):
        selector.note(moves=n in moving)
        if selector.selects(frame(n, time_=n / FPS)):
            found.append(n)
    return found


def test_frames_are_detected_in_motion_and_for_a_while_after_it():
    assert selected({0}, 50, hold=0.5) == [0, 1, 2, 3, 4, 5]
    assert selected({0, 20, 22}, 50, hold=0.3) == [0, 1, 2, 3, *range(20, 26)]


def test_without_motion_some_frames_are_detected_in_turn_now_and_then():
    found = selected({0}, 60, hold=0.0, still_interval=2.0)
    first = [n for n in found if n - 1 not in found]
    assert first == [0, 20, 43]
    assert len(found) == 1 + 2 * CHECK_FRAMES


def test_a_clock_that_is_set_back_is_motion():
    selector = MotionSelector(MotionSettings(hold=0.0))
    assert selector.selects(frame(0, time_=5.0))
    assert not selector.selects(frame(1, time_=5.1))
    assert selector.selects(frame(2, time_=1.0))


def test_motion_in_a_frame_that_is_not_due_is_not_lost():
    selector = MotionSelector(MotionSettings(hold=0.0))
    assert selector.selects(frame(0))
    for n in (1, 2, 3):
        selector.note(moves=n == 1)
    assert selector.selects(frame(3))


def test_the_clock_of_the_tracker_stands_still_while_nothing_moves():
    clock = TrackerClock()
    assert clock.follow(frame(0)).index == 0
    for n in range(1, 31):
        clock.stop(frame(n))
    seen = clock.follow(frame(31))
    assert (seen.index, seen.time) == (1, pytest.approx(1 / 30))
    assert (seen.original.index, seen.original.time) == (31, 31 / 30)
    assert np.array_equal(seen.rgb(), frame(31).rgb())
    assert seen.yuv() is None
    assert np.array_equal(seen.resized(2, 2), frame(31).resized(2, 2))
    assert np.array_equal(seen.resized_crop((0, 0, 4, 4), 2, 2), frame(31).resized(2, 2))


class Scene:
    """A file of frames of a street, made one at a time."""

    live = False

    def __init__(self, boxes):
        self.boxes = boxes
        self.frames = len(boxes)

    def __iter__(self):
        return (street(n, boxes) for n, boxes in enumerate(self.boxes))

    def close(self):
        pass


class Truth(FakeDetector):
    """Finds all boxes of a scene exactly; notes the frames that it got."""

    def __init__(self, boxes):
        super().__init__()
        self.boxes = boxes
        self.indices = []

    def detect(self, frames):
        self.indices += [each.index for each in frames]
        return [parts.detections(self.boxes[each.index]) for each in frames]


def run(boxes, tracker="steady", analyzers=(), **options):
    detector, sink = Truth(boxes), FakeSink()
    made = {name: create("analytics", name, **given) for name, given in analyzers}
    options = {"motion": MotionSettings(still_interval=30.0), **options}
    stream = Stream(Scene(boxes), create("tracker", tracker), {"out": sink}, made, **options)
    Pipeline(stream, detector).run()
    assert sink.indices == list(range(len(boxes)))
    assert stream.stats.detected == len(detector.indices)
    return detector.indices, sink.results, stream.stats


def walk(*, after, of=100):
    """The boxes of a parked car, and of somebody who walks past it from a frame on."""
    return [
        [PARKED] + [(5 * (n - after), 100, 5 * (n - after) + 10, 125)] * (after <= n < after + 60)
        for n in range(of)
    ]


@pytest.mark.parametrize("tracker", ["steady", "sort", "bytetrack", "deepsort"])
def test_a_parked_car_stays_known_for_minutes(tracker):
    after = FPS * 150
    boxes = walk(after=after, of=after + FPS * 60)
    given = [("presence", {}), ("stationary", {"after": 20.0})]
    detected, results, stats = run(boxes, tracker, given)
    assert len(detected) < 0.15 * len(boxes)
    assert set(range(after, after + 60)) <= set(detected)  # at the first frame, and all after it
    ids = {id_ for result in results[5:] for id_ in result.tracks.ids.tolist()}
    assert len(ids) == 2
    assert all(len(result.tracks) >= 1 for result in results[5:])
    events = [event for result in results for event in result.events]
    car = [(e.kind, e.phase) for e in events if e.track == results[10].tracks.ids[0]]
    assert car == [
        ("object.appeared", "start"),
        ("object.confirmed", "update"),
        ("object.stationary", "start"),
    ]
    assert stats.still == len(boxes) - len(detected)


def test_detections_and_tracks_stay_while_nothing_moves():
    detected, results, _ = run([[PARKED]] * 60)
    assert len(detected) == 11  # for a second
    for result in results[11:]:
        assert np.array_equal(result.detections.boxes, [PARKED])
        assert np.array_equal(result.tracks.boxes, results[10].tracks.boxes)
        assert result.tracks.detection.tolist() == [0]
        assert result.timings["detector"] == 0
        assert result.timings["motion"] > 0


class Missing(Truth):
    """Misses each box in a fifth of the frames."""

    def detect(self, frames):
        found = super().detect(frames)
        return [
            each[np.random.default_rng(frame.index).random(len(each)) > 0.2]
            for frame, each in zip(frames, found, strict=True)
        ]


@pytest.mark.parametrize("tracker", ["steady", "bytetrack"])
def test_objects_that_a_detector_misses_now_and_then_do_not_leave(tracker, monkeypatch):
    monkeypatch.setattr(MotionMeter, "moves", lambda _, each: each.index % 300 < 20)
    boxes, sink = [[(2, 2, 22, 17), (40, 20, 50, 45)]] * 1500, FakeSink()
    analyzers = {"presence": create("analytics", "presence")}
    source = FakeSource(len(boxes))
    options = {"motion": MotionSettings(hold=0.5, still_interval=2.0)}
    stream = Stream(source, create("tracker", tracker), {"out": sink}, analyzers, **options)
    Pipeline(stream, Missing(boxes)).run()
    events = [event.kind for result in sink.results for event in result.events]
    assert events.count("object.appeared") == 2
    assert "object.left" not in events
    assert all(len(r.tracks) == 2 for r in sink.results[100:] if not r.timings["detector"])


def test_with_no_tracker_the_detections_stay():
    _, results, _ = run([[PARKED]] * 30, "none")
    assert [len(result.detections) for result in results] == [1] * 30


def test_every_nth_frame_is_detected_while_something_moves():
    detected, results, stats = run(walk(after=60, of=150), detect_every=3)
    assert detected == [0, 3, 6, 9, *range(60, detected[-1] + 1, 3)]
    assert detected[-1] > 117
    assert stats.still == 50 - len(detected)
    assert len(results[1].detections) == 0  # between two detections
    assert len(results[30].detections) == len(results[31].detections) + 1 == 1


def test_streams_that_share_a_detector_select_their_own_frames():
    moving, still = ([[(5 * n, 100, 5 * n + 10, 125)] for n in range(40)], [[PARKED]] * 40)
    detector = Truth(moving)
    streams = [
        Stream(Scene(boxes), create("tracker", "none"), motion=MotionSettings(hold=0.3))
        for boxes in (moving, still)
    ]
    Pipeline(streams, detector).run()
    assert [stream.stats.frames for stream in streams] == [40, 40]
    assert [stream.stats.detected for stream in streams] == [40, 4]


def test_always_is_the_default():
    detected, results, stats = run([[PARKED]] * 20, motion=None)
    assert detected == list(range(20))
    assert (stats.detected, stats.still) == (20, 0)
    assert "motion" not in results[0].timings


def test_motion_in_a_frame_that_is_dropped_is_detected_in_the_next(monkeypatch):
    monkeypatch.setattr(MotionMeter, "moves", lambda _, each: each.index == 1)
    stream = Stream(FakeSource(live=True), FakeTracker(), motion=MotionSettings(hold=0.0))
    Pipeline(stream, FakeDetector())
    for n in range(3):
        stream.frames.put(stream._captured(frame(n), 0.0))
    assert stream.frames.dropped == 2
    stream._motion.selects(frame(0))
    job = stream.take()
    assert job is not None
    assert job.frame.index == 2
