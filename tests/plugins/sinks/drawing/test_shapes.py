"""Lines, zones and their captions, on black images of 320x240 px."""

from dataclasses import replace

import numpy as np
import pytest

from vidan.events import CROSSED, Event, Shape
from vidan.types import YuvPlanes
from vidan_plugins.sinks.drawing.canvas import YuvCanvas
from vidan_plugins.sinks.drawing.painter import Painter
from vidan_plugins.sinks.drawing.palette import HIGHLIGHT, SCENE
from vidan_plugins.sinks.drawing.style import Style
from vidan_plugins.sinks.drawing.text import Text
from vidan_plugins.sinks.video.yuv_frame import HD

from .test_painter import count, result, tracks


def line(start=(60, 120), end=(260, 120), **given):
    points = np.array([start, end], np.float32)
    return Shape("path", points, **{"rule": "door", "inward": "right"} | given)


def zone(*points, **given):
    points = points or ((60, 60), (260, 60), (260, 180), (60, 180))
    return Shape("polygon", np.array(points, np.float32), **{"rule": "till"} | given)


def draw(*shapes, painter=None, index=0, events=(), followed=None):
    one = result(index, followed=followed)
    return (painter or Painter()).annotate(replace(one, shapes=shapes, events=events))


def crossed(rule="door", index=0, track=None):
    return Event("1", CROSSED, "point", "s", rule, index / 30, index, track)


@pytest.mark.parametrize(
    ("inward", "ends", "tip"),
    [
        ("right", ((60, 120), (260, 120)), (160, 134)),
        ("left", ((60, 120), (260, 120)), (160, 106)),
        ("right", ((260, 120), (60, 120)), (160, 106)),
        ("right", ((160, 40), (160, 200)), (146, 120)),
    ],
)
def test_an_arrow_points_to_the_side_of_in(inward, ends, tip):
    canvas = draw(line(*ends, inward=inward))
    opposite = 2 * 160 - tip[0], 2 * 120 - tip[1]
    assert tuple(canvas[tip[1], tip[0]]) == SCENE
    assert canvas[opposite[1], opposite[0]].max() == 0


def test_a_short_line_has_a_small_arrow_and_a_point_none():
    canvas = draw(line((100, 120), (112, 120)))
    assert canvas[130].max() == 0
    draw(line((100, 120), (100, 120)))


def test_lines_have_dark_edges_on_a_bright_image():
    one = result()
    one.frame._rgb = np.full((240, 320, 3), 255, np.uint8)
    canvas = Painter().annotate(replace(one, shapes=(line(inward=None),)))
    column = canvas[110:131, 100].max(axis=1)
    assert column.min() < 60
    assert tuple(canvas[120, 100]) == SCENE


def test_an_event_highlights_its_line_for_half_a_second():
    painter = Painter()
    shapes = line(), line((60, 200), (260, 200), rule="gate")
    colors = []
    for n in (0, 14, 16):
        canvas = draw(*shapes, painter=painter, index=n, events=[crossed()] * (n == 0))
        colors += [tuple(canvas[120, 80]), tuple(canvas[200, 80])]
    assert colors == [HIGHLIGHT, SCENE, HIGHLIGHT, SCENE, SCENE, SCENE]


def test_an_event_of_a_dropped_result_is_highlighted_too():
    painter = Painter()
    painter.notice([crossed()])
    assert tuple(draw(line(), painter=painter)[120, 80]) == HIGHLIGHT


def test_an_event_fills_its_zone_lightly_and_marks_the_box_of_its_object():
    boxes = tracks((7, (10, 190, 50, 230), 0))
    canvas = draw(zone(), events=[crossed("till", track=7)], followed=boxes)
    assert 60 < canvas[100, 200].max() < 100  # 0.3 of 255
    assert canvas[100, 280].max() == 0
    assert count(canvas[185:235, 5:55], HIGHLIGHT) > 100
    assert draw(zone())[100, 200].max() == 0


def test_a_polygon_partly_outside_is_filled_at_the_same_place_in_every_plane():
    y = np.full((48, 64), 16, np.uint8)
    u = np.full((24, 32), 128, np.uint8)
    planes = YuvPlanes(y, u, u.copy(), HD)
    corners = np.array([[-20, 8], [31, 8], [31, 80], [-20, 80]], np.int32)
    YuvCanvas(planes, Text()).fill_polygon(corners, (0, 0, 255), 1.0)
    assert (planes.y[8:, :32] == 32).all()
    assert (planes.u[4:, :16] == 240).all()
    assert planes.y[:7].max() == planes.y[:, 34:].max() == 16
    outside = corners + np.array([500, 0], np.int32)
    YuvCanvas(planes, Text()).fill_polygon(outside, (0, 0, 255), 1.0)
    assert planes.y[:, 34:].max() == 16


def white_rows(canvas):
    """How many pixels of each row are text."""
    return (canvas.min(axis=2) > 200).sum(axis=1)


@pytest.mark.parametrize("corner", [(0, 0), (319, 0), (0, 239), (319, 239)])
def test_a_caption_is_inside_the_image(corner):
    inside, beside = (
        draw(line(at, (160, 120), caption="entrance in 10 out 12", inward=None))
        for at in ((100, 100), corner)
    )
    without = draw(line(corner, (160, 120), inward=None))
    height = Text().size("entrance in 10 out 12", Style.of(240).font)[1]
    text = white_rows(inside[80:100]).sum()
    changed = (beside != without).any(axis=2)
    assert height > 5
    assert (beside[changed].min(axis=1) > 200).sum() > 0.9 * text
