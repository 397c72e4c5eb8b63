"""Drawing of results, on RGB images."""

from dataclasses import replace

import numpy as np
import pytest

from vidan import Detections, Result, Shape, Tracks
from vidan.frames import ArrayFrame
from vidan_plugins.analytics.presence import Presence
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.drawing.palette import color_of
from vidan_plugins.sinks.drawing.style import Style
from vidan_plugins.sinks.drawing.text import Text

BLACK = (0, 0, 0)
LABELS = ("thing", "other")


def tracks(*rows):
    """Tracks, given as id, box and misses."""
    n = len(rows)
    return Tracks(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float32).reshape(n, 4),
        np.full(n, 0.5, np.float32),
        np.zeros(n, np.int32),
        np.array([row[2] for row in rows], np.int32),
        np.full(n, -1, np.int32),
    )


def result(index=0, found=None, followed=None, size=(320, 240)):
    rgb = np.zeros((size[1], size[0], 3), np.uint8)
    frame = ArrayFrame(rgb, index=index, time=index / 30, captured=0.0, stream="test")
    return Result(frame, found or Detections.empty(), followed or Tracks.empty(), LABELS)


def detections(*boxes):
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32), np.full(n, 0.5, np.float32), np.zeros(n, np.int32)
    )


def count(canvas, color):
    return int((canvas == color).all(axis=2).sum())


def test_an_empty_result_is_drawn_as_a_copy_of_the_image():
    one = result()
    canvas = Painter().annotate(one)
    assert canvas.max() == 0
    canvas[:] = 1  # a copy: the image of the frame is read-only
    assert one.frame.rgb().max() == 0


def test_a_track_is_drawn_in_the_color_of_its_id():
    canvas = Painter().annotate(result(followed=tracks((3, (50, 60, 150, 200), 0))))
    assert tuple(canvas[130, 50]) == tuple(canvas[130, 150]) == color_of(3)
    assert tuple(canvas[200, 100]) == color_of(3)
    assert tuple(canvas[130, 80]) == BLACK  # the image inside is unchanged
    assert count(canvas[40:60], color_of(3)) > 200  # the background of the label, above the box


def test_the_box_of_a_coasting_track_is_dashed():
    box = (50, 60, 290, 200)
    whole = Painter().annotate(result(followed=tracks((3, box, 0))))
    dashed = Painter().annotate(result(followed=tracks((3, box, 2))))
    side_whole, side_dashed = (count(c[195:205], color_of(3)) for c in (whole, dashed))
    assert 0.3 * side_whole < side_dashed < 0.7 * side_whole


def test_detections_are_drawn_unless_matched_to_a_track():
    found = detections((20, 60, 80, 200), (200, 60, 260, 200))
    unmatched = Painter().annotate(result(found=found))
    assert tuple(unmatched[130, 20]) == tuple(unmatched[130, 200]) == color_of(0)
    matched = Tracks(
        np.array([7]), found.boxes[:1], found.scores[:1], found.classes[:1],
        np.zeros(1, np.int32), np.zeros(1, np.int32),
    )  # fmt: skip
    canvas = Painter().annotate(result(found=found, followed=matched))
    assert tuple(canvas[130, 20]) == color_of(7)
    assert tuple(canvas[130, 200]) == color_of(0)


def test_trails_follow_tracks_and_end_with_them():
    painter, presence = Painter(), Presence(trail=1.0)

    def draw(n, *boxes):
        one = result(n, followed=tracks(*[(1, box, 0) for box in boxes]))
        presence.update(one)
        return painter.annotate(replace(one, shapes=tuple(presence.shapes())))

    for n in range(10):
        left = 20 + 10 * n
        canvas = draw(n, (left, 50, left + 20, 90))
    assert canvas[70, 60].max() > 100  # it came from (30, 70) to (120, 70)
    assert canvas[70, 20].max() == 0
    assert draw(10).max() == 0
    canvas = draw(70, (200, 50, 220, 90))  # more than a second later
    assert canvas[70, 60].max() == 0


def test_a_polygon_is_closed_and_drawn_below_the_boxes():
    points = np.array([[20, 20], [200, 20], [200, 150]], np.float32)
    canvas = Painter().annotate(replace(result(), shapes=(Shape("polygon", points),)))
    assert canvas[20, 100].max() > 100  # a side
    assert canvas[85, 110].max() > 100  # the side that closes it, from (200, 150) to (20, 20)


@pytest.mark.parametrize(
    "box",
    [(-50, -50, -10, -10), (-30, 5, 20, 40), (300, 230, 500, 400), (0, 0, 320, 240), (9, 9, 9, 9)],
)
@pytest.mark.parametrize("misses", [0, 1])
def test_labels_are_inside_the_image_for_any_box(box, misses):
    canvas = Painter().annotate(result(followed=tracks((5, box, misses))))
    height, width = Text().size("#5 thing", Style.of(240).font)[::-1]
    assert count(canvas, color_of(5)) > 0.4 * height * width  # the whole label is visible


def test_huge_boxes_do_not_overflow():
    Painter().annotate(result(followed=tracks((5, (-1e9, -1e9, 1e9, 1e9), 1))))


def test_labels_do_not_cover_each_other():
    rows = [(n, (100, 100, 200, 200), 0) for n in (1, 2)]
    canvas = Painter().annotate(result(followed=tracks(*rows)))
    above, below = canvas[80:99], canvas[202:220]
    assert count(above, color_of(1)) > 200
    assert count(below, color_of(2)) > 200


def test_a_label_is_abbreviated_where_there_is_no_room():
    # One row of labels, about 45 px wide: the first from 39 on leaves room for "#2" only.
    rows = [(1, (40, 0, 190, 15), 0), (2, (5, 0, 30, 15), 0)]
    canvas = Painter().annotate(result(followed=tracks(*rows), size=(200, 16)))
    # Between top and bottom line of the boxes
    first, second, between = canvas[3:13, 42:80], canvas[3:13, 7:26], canvas[3:13, 33:38]
    assert count(first, color_of(1)) > 0.4 * first.size / 3
    assert count(second, color_of(2)) > 0.4 * second.size / 3
    assert between.max() == 0


def test_labels_use_both_ends_of_a_wide_box():
    # Six tracks in one box, 200 px wide: above, below and inside, left and right.
    rows = [(n, (60, 100, 260, 160), 0) for n in range(6)]
    canvas = Painter().annotate(result(followed=tracks(*rows)))
    whole = np.prod(Text().size("#1 thing", Style.of(240).font))
    assert all(count(canvas, color_of(n)) > 0.6 * whole for n in range(6))


def test_a_long_label_is_shortened():
    labels = ("long " * 50, "b")
    long = Result(result().frame, detections((20, 60, 80, 200)), Tracks.empty(), labels)
    canvas = Painter().annotate(long)
    columns = (canvas == color_of(0)).all(axis=2).any(axis=0).nonzero()[0]
    assert columns.max() < 20 + 320 // 3 + 10
