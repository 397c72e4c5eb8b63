import pytest

from vidan_plugins.sources.timeline import FixedSize, FrameTimeline, StreamTime


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([7.0, 7.04, 7.2, 8.2], [0, 0.04, 0.2, 1.2]),  # starts at 0, keeps a variable rate
        ([None, None, None], [0, 0.1, 0.2]),  # no timestamps: one interval per image
        ([None, 5.0, 5.3], [0, 0.1, 0.4]),  # only the first is missing: the second follows it
        ([1.0, None, 1.3], [0, 0.1, 0.3]),
        ([1.0, 1.0, 1.5], [0, 0.001, 0.5]),  # a duplicate: advances by the minimum
        ([1.0, 1.4, 1.2, 1.5], [0, 0.4, 0.401, 0.5]),  # a small step back: later ones are kept
        ([9.0, 9.1, 0.0, 0.1], [0, 0.1, 0.2, 0.3]),  # a jump back: a new sequence
        ([0.0, 9.0], [0, 9.0]),  # a jump ahead is a real pause
    ],
)
def test_stream_time(stamps, times):
    stream_time = StreamTime()
    assert [stream_time.advance(pts, 0.1) for pts in stamps] == pytest.approx(times)


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0.0, 0.1, 1000.0, 1000.1], [0, 0.1, 0.2, 0.3]),  # ahead: a new part
        ([1000.0, 1000.1, 0.0, 0.1], [0, 0.1, 0.2, 0.3]),  # back
        ([0.0, 0.4, 0.0, 0.4], [0, 0.4, 0.5, 0.9]),  # a short part
        ([0.0, 9.0, 8.9, 9.1], [0, 9.0, 9.001, 9.1]),  # a pause, and jitter
    ],
)
def test_stream_time_of_a_format_whose_parts_may_be_joined(stamps, times):
    stream_time = StreamTime()
    stream_time.jumps = True
    assert [stream_time.advance(pts, 0.1) for pts in stamps] == pytest.approx(times)


def test_stream_time_continues_when_timestamps_restart():
    stream_time = StreamTime()
    first = [stream_time.advance(pts, 0.1) for pts in (3.0, 3.5)]
    stream_time.restart()
    second = [stream_time.advance(pts, 0.1) for pts in (3.0, 3.5)]
    assert [*first, *second] == pytest.approx([0, 0.5, 0.6, 1.1])


def positions(timeline, rows, **options):
    """Index and time of images with pts and arrival, at 10 frames/s."""
    return [timeline.next(pts, arrived, 0.1, **options) for pts, arrived in rows]


def test_lost_images_are_gaps_in_the_index():
    timeline = FrameTimeline()
    assert timeline.next(None, 50.0, 0.1) == (0, 0.0)
    assert timeline.next(None, 50.4, 0.1, lost=3) == (4, pytest.approx(0.4))


def test_index_and_time_advance_by_the_length_of_an_outage():
    timeline = FrameTimeline()
    positions(timeline, [(7.0, 50.0), (7.1, 50.1)])
    timeline.resume()
    # 2.02 s by the clock are 20 frames at 10 frames/s; timestamps start over.
    after = positions(timeline, [(0.0, 52.12), (0.1, 52.22)])
    assert [index for index, _ in after] == [21, 22]
    assert [time for _, time in after] == pytest.approx([2.12, 2.22])


def test_capture_times_continue_over_an_outage():
    timeline = FrameTimeline()
    timeline.resume(restarts_pts=False)
    positions(timeline, [(50.0, 50.0), (50.1, 50.1)])
    timeline.resume(restarts_pts=False)
    # 0.18 s are rounded to 2 frames, but the time is exact.
    assert timeline.next(50.28, 50.28, 0.1) == (3, pytest.approx(0.28))


def test_a_camera_that_sets_its_clock_ahead_does_not_move_stream_time():
    timeline = FrameTimeline()
    rows = [(7.0, 50.0), (7.1, 50.1), (9000.0, 50.2), (9000.1, 50.3)]
    found = positions(timeline, rows, live=True)
    assert [index for index, _ in found] == [0, 1, 2, 3]
    assert [time for _, time in found] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_file_that_starts_over_continues_without_a_gap():
    timeline = FrameTimeline()
    positions(timeline, [(3.0, 50.0), (3.1, 50.0)])
    timeline.restart()
    assert timeline.next(3.0, 90.0, 0.1) == (2, pytest.approx(0.2))


def test_each_change_of_size_is_logged_once(warnings):
    size = FixedSize("door")
    given = [(64, 48), (64, 48), (32, 24), (32, 24), (64, 48)]
    assert [size.target(one) for one in given] == [(64, 48)] * 5
    assert warnings() == [
        "door: resolution changed to 32x24; scaling to the initial 64x48",
        "door: resolution changed to 64x48; scaling to the initial 64x48",
    ]
