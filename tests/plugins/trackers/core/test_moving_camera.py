import numpy as np

from vidan_plugins.trackers.core.moving_camera import MovingCamera

HEIGHT = 100.0
"""Of the boxes, px."""


def run(camera, shifts, people=6, noise=1.0, seed=0):
    """Whether the camera moves after each update, in which all errors have a shift in common."""
    rng = np.random.default_rng(seed)
    moves = []
    for shift in shifts:
        errors = rng.normal((shift, 0), noise, (people, 2))
        camera.add(errors, np.median(errors, axis=0), HEIGHT)
        moves.append(camera.moves)
    return moves


def test_noise_is_no_motion():
    assert not any(any(run(MovingCamera(), [0] * 300, seed=seed)) for seed in range(20))


def test_a_pan_is_noticed_within_some_updates_and_so_is_its_end():
    camera = MovingCamera()
    run(camera, [0] * 100)
    moves = run(camera, [8] * 100)
    assert 1 <= moves.index(True) <= 8
    assert all(moves[10:])
    assert not run(camera, [0] * 200)[-1]


def test_a_slow_drift_is_noticed_later():
    assert run(MovingCamera(), [1.5] * 100)[-1]


def test_people_who_set_off_together_once_are_no_motion():
    assert not any(run(MovingCamera(), [0] * 50 + [6] * 2 + [0] * 50))
