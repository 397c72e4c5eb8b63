"""The filters: one filterpy filter per track, and the same algebra for all at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan_plugins.trackers.core.kalman import KALMAN_FILTERS, BatchedKalman, FilterpyKalman
from vidan_plugins.trackers.core.motion import deepsort_model, sort_model

MAKERS = pytest.mark.parametrize("make", [sort_model, deepsort_model], ids=["sort", "deepsort"])
FILTERS = pytest.mark.parametrize(
    "filters", list(KALMAN_FILTERS.values()), ids=list(KALMAN_FILTERS)
)


def boxes_from(rng, count):
    corner = rng.uniform(-50, 1900, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 400, (count, 2))], axis=1)


def assert_equal(batched, reference):
    """Both filters have the same state, to 1e-9 of each number or of its standard deviation."""
    covariances = reference.covariances()
    deviation = np.sqrt(np.einsum("nii->ni", covariances))
    assert batched.covariances().shape == covariances.shape
    off = np.abs(batched.covariances() - covariances)
    assert (off <= 1e-9 * deviation[:, :, None] * deviation[:, None]).all()
    size = np.maximum(np.abs(reference.positions), deviation[:, :4])
    assert batched.positions.shape == reference.positions.shape
    assert (np.abs(batched.positions - reference.positions) <= 1e-9 * size).all()
    assert (np.abs(batched.velocities - reference.velocities) <= 1e-9 * size).all()


@MAKERS
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    calls=st.lists(st.sampled_from("sppppuuukg"), min_size=1, max_size=40),
)
def test_both_filters_are_equal_for_random_sequences_of_calls(make, seed, calls):
    rng = np.random.default_rng(seed)
    model = make()
    batched, reference = BatchedKalman(model), FilterpyKalman(model)
    for call in ["s", *calls]:
        count = len(batched.positions)
        if call == "s":
            measured = model.measure(boxes_from(rng, rng.integers(0, 4)))
            batched.start(measured)
            reference.start(measured)
        elif call in "pg":  # one frame, or a gap of several
            steps = 1 if call == "p" else int(rng.integers(2, 60))
            batched.predict(steps)
            reference.predict(steps)
        elif call == "u":
            rows = np.flatnonzero(rng.random(count) < 0.7)
            near = model.boxes(batched.positions[rows]) + rng.normal(0, 4, (len(rows), 4))
            near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
            batched.update(rows, model.measure(near))
            reference.update(rows, model.measure(near))
        else:
            kept = rng.random(count) < 0.8
            batched.keep(kept)
            reference.keep(kept)
        assert_equal(batched, reference)
        rows = np.arange(len(batched.positions))
        others = model.measure(boxes_from(rng, 3))
        np.testing.assert_allclose(
            batched.distances(rows, others), reference.distances(rows, others), rtol=1e-9
        )


@FILTERS
def test_sort_by_hand(filters):
    # Area 100, aspect ratio 1 around (5, 5), at rest; P = (10, 10, 10, 10, 1e4, 1e4, 1e4).
    model = sort_model()
    kalman = filters(model)
    kalman.start(model.measure(np.array([[0.0, 0, 10, 10]])))
    kalman.predict(1)
    # For cx: P = 10 + 1e4 + Q 1 = 10011 and with R 1 the gain is 10011 / 10012;
    # for its velocity 1e4 / 10012. The box moved by 2 px to the right.
    kalman.update(np.array([0]), model.measure(np.array([[2.0, 0, 12, 10]])))
    np.testing.assert_allclose(kalman.positions, [[5 + 2 * 10011 / 10012, 5, 100, 1]], rtol=1e-12)
    np.testing.assert_allclose(kalman.velocities, [[2 * 1e4 / 10012, 0, 0, 0]], rtol=1e-12)
    # aspect: P = 10 + Q 1, R 10, so the variance is 11 * 10 / 21; it has no velocity
    np.testing.assert_allclose(kalman.covariances()[0, 3, 3], 110 / 21, rtol=1e-12)


@FILTERS
def test_deepsort_by_hand(filters):
    # 100 px high: the standard deviation of cx is 2/20 of that, 10 px, and of its velocity
    # 10/160, 6.25 px. One frame later: P = 100 + 39.0625 + Q 25 = 164.0625, and R is 25.
    model = deepsort_model()
    kalman = filters(model)
    kalman.start(np.array([[50.0, 60, 0.5, 100]]))
    kalman.predict(1)
    here = np.array([[50.0, 60, 0.5, 100], [60.0, 60, 0.5, 100]])
    # 10 px to the right has a distance of 100 / (164.0625 + 25)
    np.testing.assert_allclose(
        kalman.distances(np.array([0]), here), [[0, 100 / 189.0625]], rtol=1e-12
    )


@FILTERS
def test_an_area_stays_above_zero(filters):
    model = sort_model()
    kalman = filters(model)
    kalman.start(model.measure(np.array([[0.0, 0, 100, 100]])))
    for side in (80, 60, 40):  # shrinks by thousands of px² per frame
        kalman.predict(1)
        kalman.update(np.array([0]), model.measure(np.array([[0.0, 0, side, side]])))
    assert kalman.velocities[0, 2] < 0
    kalman.predict(300)
    assert kalman.velocities[0, 2] == 0
    assert kalman.positions[0, 2] > 0


@FILTERS
def test_a_gap_equals_as_many_single_frames(filters):
    model = sort_model()
    once, often = filters(model), filters(model)
    for kalman in (once, often):
        kalman.start(model.measure(np.array([[0.0, 0, 10, 20]])))
        kalman.predict(1)
        kalman.update(np.array([0]), model.measure(np.array([[3.0, 1, 13, 21]])))
    once.predict(7)
    for _ in range(7):
        often.predict(1)
    assert_equal(once, often)


@MAKERS
@FILTERS
def test_no_tracks(make, filters):
    kalman = filters(make())
    kalman.predict(3)
    kalman.update(np.zeros(0, np.intp), np.zeros((0, 4)))
    kalman.keep(np.zeros(0, np.bool_))
    assert kalman.positions.shape == kalman.velocities.shape == (0, 4)
    assert kalman.distances(np.zeros(0, np.intp), np.zeros((2, 4))).shape == (0, 2)


@pytest.mark.parametrize("name", ["F", "Q", "R", "P", "H"])
def test_other_kinds_of_models_are_rejected(name):
    model = sort_model()
    getattr(model.matrices, name)[0, 1] = 0.5
    with pytest.raises(ValueError, match="constant-velocity"):
        BatchedKalman(model)


@pytest.mark.parametrize("filters", [FilterpyKalman, BatchedKalman])
def test_moving_all_tracks_and_stopping_some(filters):
    kalman = filters(deepsort_model())
    kalman.start(np.array([[10.0, 20, 0.5, 40], [50, 60, 0.5, 80]]))
    kalman.predict(1)
    kalman.update(np.arange(2), np.array([[14.0, 20, 0.6, 44], [54, 60, 0.6, 88]]))
    before, speeds = kalman.positions.copy(), kalman.velocities.copy()
    kalman.move(np.array([3.0, -2, 0, 0]))
    np.testing.assert_allclose(kalman.positions, before + np.array([3, -2, 0, 0]))
    kalman.stop(np.array([False, True]), np.array([False, False, True, True]))
    np.testing.assert_allclose(kalman.velocities[0], speeds[0])
    np.testing.assert_allclose(kalman.velocities[1], speeds[1] * [1, 1, 0, 0])
