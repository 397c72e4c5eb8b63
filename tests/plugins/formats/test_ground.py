"""The homography of the ground against known cameras."""

import numpy as np
import pytest

from vidan_plugins.formats.ground import fit_ground

MATRIX = np.array([[900.0, 400.0, 300.0], [20.0, -150.0, 9000.0], [0.0, 1.0, 14.0]])
"""From the ground, m, to the image, px."""

METERS = np.array([[0, 0], [8, 0], [8, 40], [0, 40], [4, 20], [2, 10]], np.float64)


def image_of(meters):
    mapped = meters @ MATRIX[:, :2].T + MATRIX[:, 2]
    return mapped[:, :2] / mapped[:, 2:]


@pytest.mark.parametrize("count", [4, 6])
def test_exact_points_are_mapped_exactly(count):
    plane = fit_ground(image_of(METERS[:count]), METERS[:count])
    np.testing.assert_allclose(plane.meters(image_of(METERS)), METERS, atol=1e-6)
    assert plane.residual < 1e-6


def test_the_residual_is_the_root_mean_square_distance():
    points = image_of(METERS)
    moved = METERS.copy()
    moved[4, 0] += 0.5
    plane = fit_ground(points, moved)
    distances = np.hypot(*(plane.meters(points) - moved).T)
    assert plane.residual == pytest.approx(np.sqrt((distances**2).mean()))
    assert 0.05 < plane.residual < 0.5


def test_more_points_average_their_errors():
    generator = np.random.default_rng(5)
    grid = np.array([[x, y] for x in range(0, 12, 3) for y in range(0, 50, 8)], np.float64)
    noisy = image_of(grid) + generator.normal(0, 1.0, grid.shape)
    few = noisy[[0, 18, 23, 5]], grid[[0, 18, 23, 5]]
    errors = [
        np.hypot(*(fit_ground(*given).meters(image_of(grid)) - grid).T).mean()
        for given in (few, (noisy, grid))
    ]
    assert errors[1] < errors[0]


def test_beyond_the_horizon_there_is_no_ground():
    plane = fit_ground(image_of(METERS), METERS)
    assert np.isnan(plane.meters(np.array([[300.0, -500.0]]))).all()
    assert np.isfinite(plane.meters(np.array([[300.0, 400.0]]))).all()


def test_noise_in_px_grows_with_distance():
    plane = fit_ground(image_of(METERS), METERS)
    points = image_of(np.array([[4.0, 5], [4.0, 35]]))
    near, far = plane.noise(points, np.ones((2, 2)))
    assert far > 3 * near
    steps = np.array([[0.01, 0], [0, 0.01]])
    moved = [plane.meters(points + step) - plane.meters(points) for step in steps]
    expected = np.sqrt(sum((move**2).sum(axis=1) for move in moved)) / 0.01
    np.testing.assert_allclose([near, far], expected, rtol=1e-3)


def test_points_in_another_order_fit_no_plane():
    with pytest.raises(ValueError, match="same order"):
        fit_ground(image_of(METERS[:4]), METERS[[0, 2, 1, 3]])
