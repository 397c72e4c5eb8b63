"""The scene: what its frames look like, and what is true in them."""

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

from .look import Look
from .paths import FAR, NEAR, WALK, Paths, Walker
from .person import Person
from .sprite import Placed, Sprite, paste
from .street import draw_street
from .view import View
from .weather import Weather

FOCAL = 3.75
"""Focal length, of the image's shorter side: a tele lens, as on a street camera."""

HORIZON = 0.30
"""Height of the horizon in the image, of its height from the top."""

CAST = 12
"""At least so many different people take part before looks come again."""

POINTS = 20
"""The visible part of a face is counted at about POINTS² places."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What is in a frame: N faces, the farthest first.

    Attributes:
        ids: (N,) int64, of the people, from 1; unique.
        boxes: (N,4) float32, xyxy px, of the whole face, hidden parts and all; may reach out
            of the image.
        classes: (N,) int32, indices into the scene's labels.
        visibility: (N,) float32 in [0,1], share of the face that is in the image and not
            behind somebody else.
    """

    ids: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int32]
    visibility: npt.NDArray[np.float32]


class Scene:
    """People who walk towards a camera in a street; the same for the same arguments.

    Frames can be drawn in any order; none depends on another.

    Args:
        width: of the image, px.
        height: of the image, px.
        people: how many are in the scene at a time.
        size: of the people in the image; at 1, faces are 0.08 to 0.2 of its shorter side high.
        speed: how fast they walk, of the usual pace.
        haze: 0 clear to 1 thick fog.
        darkness: 0 day to 1 night; the darker, the more noise.
        seed: of everything that is left to chance.
        rate: frames per second.
        labels: of a face with a mask, without, and with one that does not cover the nose.

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
        self._view = View(width, height, FOCAL * short, HORIZON * height)
        near, far = NEAR / size, FAR / size
        seconds = WALK / math.sqrt(size) / speed
        half_view = width / 2 / self._view.focal
        self._paths = Paths(people, seconds, near, far, half_view, seed)
        self._density = 1.08 * self._view.scale(near)
        self._cast: dict[int, Future[Person]] = {}
        self._cast_size = people * -(-CAST // people) if people else 0
        self._weather = Weather(width, height, haze, darkness, seed)
        self._shadow = _shadow(self._density * 0.25)
        # Drawn while the model is loaded, which is what most people do next.
        with _helpers() as helpers:
            self._street = helpers.submit(self._empty_street)
            self._invite([walker.identity - 1 for walker in self._paths.at(0)], helpers)

    def prepare(self) -> None:
        """Draw everybody who will ever take part now, and not when they first appear."""
        with _helpers() as helpers:
            self._invite(range(self._cast_size), helpers)
        for character in range(self._cast_size):
            self._character(character)

    def draw(self, index: int) -> Image:
        """The frame of an index: (H,W,3) uint8 RGB."""
        frame = self._street.result().copy()
        for person, walker in self._people(index):
            haze = self._weather.veil(walker.z)
            paste(frame, self._shade(walker), haze)
            for placed in self._placed(person, walker):
                paste(frame, placed, haze)
        self._weather.grain(frame, index)
        return frame

    def ground_truth(self, index: int) -> GroundTruth:
        """What is in the frame of an index. Faces that are wholly outside are left out."""
        people = self._people(index)
        placed = [self._placed(person, walker) for person, walker in people]
        rows = []
        for i, (person, walker) in enumerate(people):
            box = person.face(placed[i][-1])
            if not self._sees(box):
                continue
            nearer = [part for parts in placed[i + 1 :] for part in parts]
            seen = self._visible(placed[i][-1], box, nearer)
            rows.append((walker.identity, box, self._class(person.look.kind), seen))
        return GroundTruth(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
            np.array([row[2] for row in rows], np.int32),
            np.array([row[3] for row in rows], np.float32),
        )

    def _people(self, index: int) -> list[tuple[Person, Walker]]:
        walkers = self._paths.at(index / self._rate)
        return [(self._character(w.identity - 1), w) for w in walkers]

    def _character(self, number: int) -> Person:
        """Places hold disjoint parts of the cast, so nobody is in the scene twice."""
        number %= self._cast_size
        if number not in self._cast:
            self._cast[number] = Future()
            self._cast[number].set_result(self._person(number))
        return self._cast[number].result()

    def _invite(self, numbers: Iterable[int], helpers: Executor) -> None:
        """Have characters drawn that were not drawn yet."""
        for number in (number % self._cast_size for number in numbers):
            if number not in self._cast:
                self._cast[number] = helpers.submit(self._person, number)

    def _person(self, number: int) -> Person:
        return Person(Look.of(self._seed, number), self._density)

    def _empty_street(self) -> Image:
        return self._weather.over(*draw_street(self._view, self._seed))

    def _placed(self, person: Person, walker: Walker) -> list[Placed]:
        view = self._view
        x, ground = view.x(walker.x, walker.z), view.ground(walker.z)
        return person.place(walker, x, ground, view.scale(walker.z))

    def _class(self, kind: str) -> int:
        return {"bare": 1, "beard": 1, "low": 2}.get(kind, 0)

    def _sees(self, box: tuple[float, float, float, float]) -> bool:
        x1, y1, x2, y2 = box
        return x1 < self._view.width and x2 > 0 and y1 < self._view.height and y2 > 0

    def _visible(
        self, head: Placed, box: tuple[float, float, float, float], nearer: list[Placed]
    ) -> float:
        """The visible share of the part of a head that is in the box of its face."""
        x1, y1, x2, y2 = box
        steps = (np.arange(POINTS) + 0.5) / POINTS
        xs, ys = np.meshgrid(x1 + steps * (x2 - x1), y1 + steps * (y2 - y1))
        points = np.column_stack([xs.ravel(), ys.ravel()])
        points = points[head.alpha_at(points) > 0.5]
        inside = (points >= 0) & (points < (self._view.width, self._view.height))
        free = inside.all(axis=1).astype(float)
        for part in nearer:
            left, top, right, bottom = part.bounds()
            if left < x2 and right > x1 and top < y2 and bottom > y1:
                free *= 1 - part.alpha_at(points)
        return float(free.mean()) if len(free) else 0.0

    def _shade(self, walker: Walker) -> Placed:
        view = self._view
        y = view.ground(walker.z) - 0.05 * view.scale(walker.z)
        return Placed(self._shadow, view.x(walker.x, walker.z), y, view.scale(walker.z))


@contextmanager
def _helpers() -> Iterator[Executor]:
    """Threads that end when they have done what they were given; nobody waits for them here."""
    pool = ThreadPoolExecutor(os.cpu_count(), "vidan-scene")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False)


def _shadow(density: float) -> Sprite:
    """The soft shade that somebody casts on the ground under an overcast sky."""
    width, height = max(8, round(1.3 * density)), max(4, round(0.26 * density))
    x = (np.arange(width) + 0.5) / width * 2 - 1
    y = (np.arange(height)[:, None] + 0.5) / height * 2 - 1
    alpha = np.clip(1 - np.hypot(x, y), 0, 1) ** 1.3 * 0.62
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[..., 3] = np.round(alpha * 255)
    return Sprite.of(pixels, (width / 2, height / 2), density)
