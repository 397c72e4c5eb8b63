"""The scene: its frames and their ground truth."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidan.types import Image

from .appearance import Appearance
from .paths import FAR_M, NEAR_M, WALK_S, Paths, Walker
from .person import Person
from .sprite import PlacedSprite, Sprite, paste
from .street import draw_street
from .view import View
from .weather import Weather

FOCAL_FRACTION = 3.75
"""Focal length relative to the image's shorter side: a telephoto lens, as on a street camera."""

HORIZON_FRACTION = 0.30
"""Position of the horizon relative to the image's height, from the top."""

MIN_CAST_SIZE = 12
"""At least this many different people take part before one appears again."""

WALK_SAMPLES_PER_S = 120
"""Samples of a true path."""

VISIBILITY_GRID = 20
"""The visible fraction of a face is sampled on a square grid of this size."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The faces in a frame, the farthest first.

    Attributes:
        ids: (N,) int64, of the people, unique, from 1.
        boxes: (N,4) float32, xyxy px, of the whole face including hidden parts; may extend
            beyond the image.
        classes: (N,) int32, indices into the scene's labels.
        visibility: (N,) float32 in [0,1], fraction of the face that is inside the image and not
            occluded by other people.
    """

    ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int32]
    visibility: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The walk of a person through the scene, at K times that are evenly spaced.

    Attributes:
        identity: of the person, as in the ground truth.
        label: of the face.
        times: (K,) float64, stream time, s; may begin before 0.
        boxes: (K,4) float64, xyxy px, of the face, without the sway of the gait.
        speeds: (K,) float64, over the ground, m/s.
    """

    identity: int
    label: str
    times: npt.NDArray[np.float64]
    boxes: npt.NDArray[np.float64]
    speeds: npt.NDArray[np.float64]


class Scene:
    """People walking toward a camera in a street; the same for the same arguments.

    Frames can be drawn in any order; none depends on another.

    Args:
        width: of the image, px.
        height: of the image, px.
        people: number of people in the scene at a time.
        size: scale of the people; at 1, faces are 0.08 to 0.2 of the image's shorter side high.
        speed: walking speed relative to a usual pace.
        haze: 0 (clear) to 1 (thick fog).
        darkness: 0 (day) to 1 (night); noise increases with it.
        seed: of the random number generators.
        rate: frames per second.
        labels: of a face with a mask, without one, and with one that does not cover the nose.

    Attributes:
        labels: as given.
    """

    def __init__(
        self,
        width: int = 1920,
        height: int = 1080,
        *,
        people: int = 6,
        size: float = 1.0,
        speed: float = 1.0,
        haze: float = 0.0,
        darkness: float = 0.0,
        seed: int = 0,
        rate: float = 30.0,
        labels: tuple[str, str, str] = ("with_mask", "without_mask", "mask_weared_incorrect"),
    ) -> None:
        self.labels = labels
        self._rate = rate
        self._seed = seed
        short = min(width, height)
        self._view = View(width, height, FOCAL_FRACTION * short, HORIZON_FRACTION * height)
        near, far = NEAR_M / size, FAR_M / size
        duration = WALK_S / math.sqrt(size) / speed
        half_view = width / 2 / self._view.focal
        self._paths = Paths(people, duration, near, far, half_view, seed)
        self._density = 1.08 * self._view.scale(near)
        self._cast: dict[int, Future[Person]] = {}
        self._cast_size = people * -(-MIN_CAST_SIZE // people) if people else 0
        self._weather = Weather(width, height, haze, darkness, seed)
        self._shadow = _draw_shadow(self._density * 0.25)
        # Drawn in the background: most callers load a model next.
        with _drawing_threads() as threads:
            self._street = threads.submit(self._draw_empty_street)
            self._draw_ahead([walker.identity - 1 for walker in self._paths.at(0)], threads)
            threads.submit(lambda: self._weather.noise)

    @property
    def people_drawn(self) -> int:
        """Number of different people drawn so far; bounded, however many frames are drawn."""
        return len(self._cast)

    def prepare(self) -> None:
        """Draw the whole cast now instead of when each person first appears."""
        with _drawing_threads() as threads:
            self._draw_ahead(range(self._cast_size), threads)
        for number in range(self._cast_size):
            self._member(number)

    def draw(self, index: int) -> Image:
        """The frame with an index: (H,W,3) uint8 RGB."""
        frame = self._street.result().copy()
        for person, walker in self.people(index):
            haze = self._weather.sprite_matrix(walker.z)
            paste(frame, self._shadow_of(walker), haze)
            for part in self._parts(person, walker):
                paste(frame, part, haze)
        self._weather.add_noise(frame, index)
        return frame

    def ground_truth(self, index: int) -> GroundTruth:
        """The faces in the frame with an index, without those that are entirely outside."""
        people = self.people(index)
        parts = [self._parts(person, walker) for person, walker in people]
        rows = []
        for i, (person, walker) in enumerate(people):
            head = parts[i][-1]
            box = person.face(head)
            if not self._in_image(box):
                continue
            nearer = [part for other in parts[i + 1 :] for part in other]
            visible = self._visible_fraction(head, box, nearer)
            rows.append((walker.identity, box, self._class(person.appearance.kind), visible))
        return GroundTruth(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
            np.array([row[2] for row in rows], np.int32),
            np.array([row[3] for row in rows], np.float32),
        )

    def walk(self, identity: int) -> Walk:
        """The true path of a person from the beginning to the end of the walk."""
        # Most runs need no true paths, and its import takes a third of a second.
        from scipy.ndimage import uniform_filter1d

        begin, end = self._paths.span(identity)
        person = self._member(identity - 1)
        count = math.ceil((end - begin) * WALK_SAMPLES_PER_S) + 1
        walkers = [self._paths.walk(identity, part) for part in np.linspace(0, 1, count)]
        times = np.linspace(begin, end, count)
        faces = np.array([person.face(self._parts(person, walker)[-1]) for walker in walkers])
        cycle = max(1, round(self._paths.stride_s * WALK_SAMPLES_PER_S))
        ground = np.array([(walker.x, walker.z) for walker in walkers])
        velocities = np.gradient(ground, times, axis=0)
        return Walk(
            identity,
            self.labels[self._class(person.appearance.kind)],
            times,
            uniform_filter1d(faces, cycle, axis=0, mode="nearest"),
            np.hypot(*velocities.T),
        )

    def people(self, index: int) -> list[tuple[Person, Walker]]:
        """The people in the frame with an index, the farthest first."""
        walkers = self._paths.at(index / self._rate)
        return [(self._member(w.identity - 1), w) for w in walkers]

    def _member(self, number: int) -> Person:
        """A member of the cast. Each slot of `Paths` has its own, so nobody appears twice."""
        number %= self._cast_size
        if number not in self._cast:
            self._cast[number] = Future()
            self._cast[number].set_result(self._draw_person(number))
        return self._cast[number].result()

    def _draw_ahead(self, numbers: Iterable[int], threads: Executor) -> None:
        """Start drawing the members that have not been drawn."""
        for number in (number % self._cast_size for number in numbers):
            if number not in self._cast:
                self._cast[number] = threads.submit(self._draw_person, number)

    def _draw_person(self, number: int) -> Person:
        return Person(Appearance.random(self._seed, number), self._density)

    def _draw_empty_street(self) -> Image:
        return self._weather.apply(*draw_street(self._view, self._seed))

    def _parts(self, person: Person, walker: Walker) -> list[PlacedSprite]:
        view = self._view
        x, ground = view.x(walker.x, walker.z), view.ground(walker.z)
        return person.place(walker, x, ground, view.scale(walker.z))

    def _class(self, kind: str) -> int:
        return {"bare": 1, "beard": 1, "low": 2}.get(kind, 0)

    def _in_image(self, box: tuple[float, float, float, float]) -> bool:
        x1, y1, x2, y2 = box
        return x1 < self._view.width and x2 > 0 and y1 < self._view.height and y2 > 0

    def _visible_fraction(
        self,
        head: PlacedSprite,
        box: tuple[float, float, float, float],
        nearer: list[PlacedSprite],
    ) -> float:
        """The visible fraction of the part of a head that is in the box of its face."""
        x1, y1, x2, y2 = box
        steps = (np.arange(VISIBILITY_GRID) + 0.5) / VISIBILITY_GRID
        xs, ys = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
        points = np.column_stack([xs.ravel(), ys.ravel()])
        points = points[head.alpha_at(points) > 0.5]
        inside = (points >= 0) & (points < (self._view.width, self._view.height))
        visible = inside.all(axis=1).astype(float)
        for part in nearer:
            left, top, right, bottom = part.bounds()
            if left < x2 and right > x1 and top < y2 and bottom > y1:
                visible *= 1 - part.alpha_at(points)
        return float(visible.mean()) if len(visible) else 0.0

    def _shadow_of(self, walker: Walker) -> PlacedSprite:
        view = self._view
        y = view.ground(walker.z) - 0.05 * view.scale(walker.z)
        return PlacedSprite(self._shadow, view.x(walker.x, walker.z), y, view.scale(walker.z))


@contextmanager
def _drawing_threads() -> Iterator[Executor]:
    """Threads that end once their work is done, without being waited for."""
    pool = ThreadPoolExecutor(os.cpu_count(), "vidan-scene")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False)


def _draw_shadow(density: float) -> Sprite:
    """The soft shadow of a person on the ground under an overcast sky."""
    width, height = max(8, round(1.3 * density)), max(4, round(0.26 * density))
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height)[:, None] + 0.5) / height * 2 - 1
    alpha = np.clip(1 - np.hypot(x, y), 0, 1) ** 1.3 * 0.62
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 3] = np.round(alpha * 255)
    return Sprite.from_pixels(pixels, (width / 2, height / 2), density)
