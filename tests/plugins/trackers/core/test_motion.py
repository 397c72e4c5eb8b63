"""The motion models: measurements and transitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan_plugins.trackers.core.motion import (
    MAX_COORDINATE_PX,
    MIN_SIDE_PX,
    deepsort_model,
    sort_model,
)

MODELS = pytest.mark.parametrize("model", [sort_model(), deepsort_model()], ids=["sort", "deep"])


def test_sort_measures_center_area_and_aspect():
    # 40 x 10 px around (30, 25): area 400, aspect 4
    assert sort_model().measure(np.array([[10.0, 20, 50, 30]])).tolist() == [[30, 25, 400, 4]]


def test_deepsort_measures_center_aspect_and_height():
    # 40 x 10 px around (30, 25)
    assert deepsort_model().measure(np.array([[10.0, 20, 50, 30]])).tolist() == [[30, 25, 4, 10]]


@MODELS
@given(
    x=st.floats(-1e4, 1e4),
    y=st.floats(-1e4, 1e4),
    width=st.floats(0.1, 1e4),
    height=st.floats(0.1, 1e4),
)
def test_a_measurement_converts_back_to_its_box(model, x, y, width, height):
    box = np.array([[x, y, x + width, y + height]])
    np.testing.assert_allclose(model.boxes(model.measure(box)), box, atol=1e-7)


@MODELS
@pytest.mark.parametrize(
    "box", [(5, 5, 5, 5), (5, 5, 5, 9), (5, 5, 9, 5)], ids=["point", "vertical", "horizontal"]
)
def test_a_box_without_area_is_measured_as_a_very_thin_one(model, box):
    measured = model.measure(np.array([box], np.float64))
    assert np.isfinite(measured).all()
    back = model.boxes(measured)[0]
    np.testing.assert_allclose(back, box, atol=MIN_SIDE_PX)
    assert (back[:2] < back[2:]).all()


@MODELS
def test_boxes_are_finite_and_ordered_for_any_position(model):
    measured = np.array([[1e30, -1e30, 1e30, 1e-3], [0, 0, 1e-9, 1e9], [1e12, 5, 3, 7]])
    boxes = model.boxes(measured)
    assert (np.abs(boxes) <= MAX_COORDINATE_PX).all()
    assert (boxes[:, :2] <= boxes[:, 2:]).all()


def test_a_negative_height_becomes_the_smallest_box():
    box = deepsort_model().boxes(np.array([[100.0, 50, 0.5, -20]]))[0]
    np.testing.assert_allclose(box, [100, 50, 100, 50], atol=MIN_SIDE_PX)


@MODELS
@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_several_steps_equal_as_many_single_ones(model, steps):
    f, q = model.matrices.F, model.matrices.Q
    transition, noise = np.eye(len(f)), np.zeros_like(q)
    for _ in range(steps):
        transition, noise = f @ transition, f @ noise @ f.T + q
    got = model.after(steps)
    np.testing.assert_allclose(got[0], transition, rtol=1e-12)
    np.testing.assert_allclose(got[1], noise, rtol=1e-12)


def test_the_noise_of_deepsort_is_in_heights_except_for_the_aspect_ratio():
    units = deepsort_model().units(np.array([[1.0, 2, 0.5, 80], [1, 2, 0.5, -30], [0, 0, 0, 0]]))
    assert units.tolist() == [
        [80, 80, 1, 80],
        [30, 30, 1, 30],
        [MIN_SIDE_PX, MIN_SIDE_PX, 1, MIN_SIDE_PX],
    ]


def test_the_noise_of_sort_is_absolute():
    assert (sort_model().units(np.array([[1.0, 2, 3, 4]])) == 1).all()
