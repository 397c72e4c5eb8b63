"""Polygons against OpenCV, and paths across them."""

import cv2
import numpy as np
import pytest

from vidan.geometry import beyond_sides
from vidan_plugins.analytics.polygons import Polygons

SQUARE = np.array([[20.0, 20.0], [60.0, 20.0], [60.0, 60.0], [20.0, 60.0]])
NOTCHED = np.array([[0.0, 0], [100, 0], [100, 90], [70, 90], [70, 30], [30, 30], [30, 90], [0, 90]])
STAR = np.array([[50.0, 5], [60, 40], [95, 50], [60, 60], [50, 95], [40, 60], [5, 50], [40, 40]])
ALL = [SQUARE, NOTCHED, STAR]


def test_points_are_inside_where_opencv_finds_them():
    points = np.random.default_rng(0).uniform(-10, 110, (500, 2))
    polygons = Polygons(ALL)
    found = polygons.contain(points[:, 0], np.tile(points[:, 1], (3, 1)))
    for n, polygon in enumerate(ALL):
        corners = polygon.astype(np.float32)
        expected = [cv2.pointPolygonTest(corners, point, True) for point in points.tolist()]
        assert found[n].tolist() == [distance > 0 for distance in expected]
        assert found[n].tolist() == [polygons.contains(n, *point) for point in points.tolist()]
        distance, *offset = np.transpose([polygons.border(n, *point) for point in points.tolist()])
        np.testing.assert_allclose(distance, np.abs(expected), atol=1e-4)
        np.testing.assert_allclose(np.hypot(*offset), distance)


def test_a_point_on_a_shared_edge_is_in_one_polygon():
    polygons = Polygons([SQUARE, *(SQUARE + np.array(by) for by in ((40, 0), (0, 40), (40, 40)))])
    for point in ((60.0, 40.0), (40.0, 60.0), (60.0, 60.0), (60.0, 20.0)):
        expected = 1 if point != (60.0, 20.0) else polygons.contains(1, *point)
        assert sum(polygons.contains(n, *point) for n in range(4)) == expected


@pytest.mark.parametrize(
    ("start", "end", "parts", "length"),
    [
        ((-50, 60), (150, 60), [0.25, 0.4, 0.6, 0.75], 60),
        ((-50, 15), (150, 15), [0.25, 0.75], 100),
        ((-50, -5), (150, -5), [], 0),
        ((50, 60), (50, 20), [0.75], 0),
        ((50, 60), (50, 60), [], 0),
    ],
)
def test_a_step_crosses_a_notched_polygon(start, end, parts, length):
    points = np.array(start, float), np.array(end, float)
    polygons = Polygons([NOTCHED])
    assert polygons.crossings(0, *points) == pytest.approx(parts)
    assert polygons.length_inside(0, *points) == pytest.approx(length)


@pytest.mark.parametrize(
    ("polygon", "inside", "outside"),
    [
        ([[20, 60], [60, 60], [60, 100], [20, 100]], [(40, 150)], [(10, 150), (40, 50)]),
        ([[0, 0], [50, 0], [50, 100], [0, 100]], [(-9, -9), (25, 130), (-9, 50)], [(60, 130)]),
        ([[0, 0], [100, 0], [100, 100], [0, 100]], [(-9, 50), (150, 150), (50, 50)], []),
        ([[0, 50], [50, 0], [50, 50]], [], [(-9, 50), (50, -9), (10, 10)]),
    ],
    ids=["lower_edge", "left_half", "whole_image", "corners_at_edges_only"],
)
def test_a_polygon_along_an_edge_of_the_image_goes_on_beyond_it(polygon, inside, outside):
    polygons = Polygons([beyond_sides(polygon, 100, 100)])
    assert all(polygons.contains(0, *point) for point in inside)
    assert not any(polygons.contains(0, *point) for point in outside)
