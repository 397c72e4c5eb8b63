"""Kalman filters over all tracks of a stream, for any `MotionModel`.

There are two interchangeable implementations: `FilterpyKalman`, one filterpy filter per track,
is the reference; `BatchedKalman` computes the same for all tracks at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from .motion import Array, MotionModel, power_sums

Rows = npt.NDArray[np.intp]

KalmanName = Literal["batched", "filterpy"]
"""Option value that selects an implementation from `KALMAN_FILTERS`."""


class Kalman(Protocol):
    """The states of all tracks, in the order in which they were started."""

    model: MotionModel

    @property
    def positions(self) -> Array:
        """The measured numbers: (N,4)."""
        ...

    @property
    def velocities(self) -> Array:
        """Their change per step: (N,4); 0 where the model has no velocity."""
        ...

    def start(self, measured: Array) -> None:
        """Append tracks at rest with the measurements (K,4)."""
        ...

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Delete all tracks except those in the mask (N,)."""
        ...

    def predict(self, steps: float) -> None:
        """Move all tracks forward by a number of steps of the model, above 0."""
        ...

    def update(self, rows: Rows, measured: Array) -> None:
        """Correct the tracks in `rows` (K,), each once, by the measurements (K,4)."""
        ...

    def move(self, offset: Array) -> None:
        """Add an offset to the measured numbers of all tracks: a common one (4,), or (N,4)."""
        ...

    def stop(self, rows: npt.NDArray[np.bool_], numbers: npt.NDArray[np.bool_]) -> None:
        """Set velocities to 0: of the tracks in a mask (N,), of the numbers in a mask (4,)."""
        ...

    def distances(self, rows: Rows, measured: Array) -> Array:
        """Squared Mahalanobis distances (K,M) of tracks (K,) and measurements (M,4)."""
        ...

    def covariances(self) -> Array:
        """Covariances of the states (N,D,D)."""
        ...


class FilterpyKalman:
    """A filterpy `KalmanFilter` for each track: the reference. See `Kalman`."""

    def __init__(self, model: MotionModel) -> None:
        # filterpy imports all of scipy.stats: only for users who chose it.
        from filterpy.kalman import KalmanFilter

        self.model = model
        self._make: Callable[..., Any] = KalmanFilter
        self._filters: list[Any] = []
        # number whose velocity is state 4 + k, for each k
        self._velocity_of = np.argmax(model.matrices.F[:4, 4:], axis=0)

    @property
    def positions(self) -> Array:  # noqa: D102 - documented in Kalman
        return np.array([f.x[:4, 0] for f in self._filters]).reshape(-1, 4)

    @property
    def velocities(self) -> Array:  # noqa: D102
        velocities = np.zeros((len(self._filters), 4))
        for row, f in enumerate(self._filters):
            velocities[row, self._velocity_of] = f.x[4:, 0]
        return velocities

    def start(self, measured: Array) -> None:  # noqa: D102
        template = self.model.matrices
        for z, unit in zip(measured, self._units(measured), strict=True):
            f = self._make(dim_x=template.dim_x, dim_z=4)
            f.F, f.H = template.F, template.H
            f.P = unit[:, None] * template.P * unit
            f.x[:4, 0] = z
            self._filters.append(f)

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:  # noqa: D102
        self._filters = [f for f, kept in zip(self._filters, rows, strict=True) if kept]

    def predict(self, steps: float) -> None:  # noqa: D102
        transition, noise = self.model.after(steps)
        units = self._units(self.positions)
        positive = np.flatnonzero(self.model.positive[self._velocity_of])
        for f, unit in zip(self._filters, units, strict=True):
            for k in positive:
                if f.x[self._velocity_of[k], 0] + steps * f.x[4 + k, 0] <= 0:
                    f.x[4 + k, 0] = 0.0
            f.predict(F=transition, Q=unit[:, None] * noise * unit)

    def update(self, rows: Rows, measured: Array) -> None:  # noqa: D102
        units = self.model.units(self.positions)
        for row, z in zip(rows, measured, strict=True):
            unit = units[row]
            self._filters[row].update(z[:, None], R=unit[:, None] * self.model.matrices.R * unit)

    def move(self, offset: Array) -> None:  # noqa: D102
        offsets = np.broadcast_to(offset, (len(self._filters), 4))
        for f, own in zip(self._filters, offsets, strict=True):
            f.x[:4, 0] += own

    def stop(  # noqa: D102
        self, rows: npt.NDArray[np.bool_], numbers: npt.NDArray[np.bool_]
    ) -> None:
        stopped = 4 + np.flatnonzero(numbers[self._velocity_of])
        for row in np.flatnonzero(rows):
            self._filters[row].x[stopped, 0] = 0.0

    def distances(self, rows: Rows, measured: Array) -> Array:  # noqa: D102
        out = np.empty((len(rows), len(measured)))
        units = self.model.units(self.positions)
        for k, row in enumerate(rows):
            f, unit = self._filters[row], units[row]
            s = f.H @ f.P @ f.H.T + unit[:, None] * self.model.matrices.R * unit
            off = measured - f.x[:4, 0]
            out[k] = np.einsum("mi,mi->m", off @ np.linalg.inv(s), off)
        return out

    def covariances(self) -> Array:  # noqa: D102
        size = self.model.matrices.dim_x
        return np.array([f.P for f in self._filters]).reshape(-1, size, size)

    def _units(self, positions: Array) -> Array:
        """Unit of the noise of each number of the state: (N,D)."""
        units = self.model.units(positions)
        return np.concatenate([units, units[:, self._velocity_of]], axis=1)


class BatchedKalman:
    """All tracks at once, without a loop. See `Kalman`.

    When every measured number has at most one velocity, and the noise of the numbers is
    independent, the filter separates into four small ones, each of a position and a velocity,
    and every matrix product becomes a few products of numbers.

    Raises:
        ValueError: the model's matrices do not have this structure.
    """

    def __init__(self, model: MotionModel) -> None:
        self.model = model
        m = model.matrices
        self._velocity_of = np.argmax(m.F[:4, 4:], axis=0)
        self._check()
        self._first = self._parts(m.P)[:, None]
        self._noise = np.diag(m.R).copy()
        self._any_positive = bool(model.positive.any())
        self._drift = self._parts(m.Q)
        self._after: tuple[float, Array] = (1, self._noise_after(1))
        # position; velocity; variance of the position; covariance; variance of the velocity
        self._state: Array = np.zeros((5, 0, 4))

    @property
    def positions(self) -> Array:  # noqa: D102
        return np.asarray(self._state[0])

    @property
    def velocities(self) -> Array:  # noqa: D102
        return np.asarray(self._state[1])

    def start(self, measured: Array) -> None:  # noqa: D102
        started = np.zeros((5, *measured.shape))
        started[0] = measured
        started[2:] = self._variance(self._first, measured)
        self._state = np.concatenate([self._state, started], axis=1)

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:  # noqa: D102
        self._state = self._state.compress(rows, axis=1)

    def predict(self, steps: float) -> None:  # noqa: D102
        if self._after[0] != steps:
            self._after = (steps, self._noise_after(steps))
        x, v, pp, pv, vv = self._state
        noise = self._variance(self._after[1], x)
        ahead = x + steps * v
        if self._any_positive:
            stopped = (ahead <= 0) & self.model.positive
            if stopped.any():
                v[stopped], ahead[stopped] = 0.0, x[stopped]
        x[:] = ahead
        drift = steps * vv
        pp += steps * (2 * pv + drift)
        pv += drift
        self._state[2:] += noise

    def update(self, rows: Rows, measured: Array) -> None:  # noqa: D102
        state = self._state.take(rows, axis=1)
        mean, covariance = state[:2], state[2:]
        r = self._variance(self._noise, mean[0])
        s = covariance[0] + r
        gain = covariance[:2] / s  # of position and velocity
        mean += gain * (measured - mean[0])
        covariance[2] -= gain[1] * covariance[1]
        covariance[:2] *= r / s  # that is 1 - gain of the position, without cancellation
        # much faster than assigning to rows of the second axis
        place = np.arange(self._state.shape[1])
        place[rows] = np.arange(len(place), len(place) + len(rows))
        self._state = np.concatenate([self._state, state], axis=1).take(place, axis=1)

    def move(self, offset: Array) -> None:  # noqa: D102
        self._state[0] += offset

    def stop(  # noqa: D102
        self, rows: npt.NDArray[np.bool_], numbers: npt.NDArray[np.bool_]
    ) -> None:
        self._state[1][rows[:, None] & numbers] = 0.0

    def distances(self, rows: Rows, measured: Array) -> Array:  # noqa: D102
        x = self._state[0].take(rows, axis=0)
        s = self._state[2].take(rows, axis=0) + self._variance(self._noise, x)
        out = np.zeros((len(rows), len(measured)))
        for i in range(4):
            out += np.square(measured[:, i] - x[:, i, None]) / s[:, i, None]
        return out

    def covariances(self) -> Array:  # noqa: D102
        size = self.model.matrices.dim_x
        out = np.zeros((self._state.shape[1], size, size))
        of = self._velocity_of
        position, velocity = np.arange(4), np.arange(4, size)
        out[:, position, position] = self._state[2]
        out[:, of, velocity] = out[:, velocity, of] = self._state[3][:, of]
        out[:, velocity, velocity] = self._state[4][:, of]
        return out

    def _noise_after(self, steps: float) -> Array:
        """Process noise over several steps: (3,1,4). See `MotionModel.after`."""
        position, _, velocity = self._drift
        linear, square = power_sums(steps)
        parts = (steps * position + square * velocity, linear * velocity, steps * velocity)
        return np.stack(parts)[:, None]

    def _variance(self, noise: Array, positions: Array) -> Array:
        """Variances of a noise (...,4) in the units that measurements (N,4) define."""
        if self.model.unit is None:
            return noise
        return np.asarray(noise * np.square(self.model.units(positions)))

    def _parts(self, matrix: Array) -> Array:
        """The nonzero entries of a matrix (D,D) over states: (3,4), as in `_state`."""
        of = self._velocity_of
        parts = np.zeros((3, 4))
        parts[0] = np.diag(matrix)[:4]
        parts[1, of] = matrix[of, np.arange(4, len(matrix))]
        parts[2, of] = np.diag(matrix)[4:]
        return parts

    def _check(self) -> None:
        m, size = self.model.matrices, self.model.matrices.dim_x
        expected = np.eye(size)
        expected[self._velocity_of, np.arange(4, size)] = 1.0
        right = np.array_equal(m.F, expected) and np.array_equal(m.H, np.eye(4, size))
        diagonal = all(np.array_equal(a, np.diag(np.diag(a))) for a in (m.P, m.Q, m.R))
        if not (right and diagonal and len(set(self._velocity_of)) == size - 4):
            raise ValueError(
                "BatchedKalman: expected a constant-velocity model with diagonal P, Q and R"
            )


def predicted_positions(kalman: Kalman, steps: float) -> Array:
    """The positions (N,4) that `predict` would compute; the states do not change."""
    positions, velocities = kalman.positions, kalman.velocities
    ahead = positions + steps * velocities
    return np.where((ahead <= 0) & kalman.model.positive, positions, ahead)


KALMAN_FILTERS: dict[KalmanName, Callable[[MotionModel], Kalman]] = {
    "batched": BatchedKalman,
    "filterpy": FilterpyKalman,
}
"""The implementations by the name they have in configurations."""
