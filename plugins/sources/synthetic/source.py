"""`source=synthetic`: people in a street, drawn by vidan itself, with ground truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from vidan import options
from vidan.frames import ArrayFrame
from vidan.types import Frame

from ..pacing import Cadence
from .ground_truth import TruthFile
from .scene.scene import Scene


class Synthetic:
    """The frames of a drawn street where people walk, masked, bare and bearded.

    The same options give the same pixels. Live, it behaves as a camera: frames fall due at
    `rate`, whoever asks late gets the newest that fell due, and those before it are gaps in
    the index; `captured` is when a frame fell due. Otherwise every frame comes, as fast as it
    is asked for, and `captured` is when it was drawn. Stream time is `index / rate`.

    Args:
        width: of the image, px, 64 to 7680.
        height: of the image, px, 64 to 7680.
        rate: frames per second, of the scene and, if live, of the clock; 0.1 to 1000.
        frames: of the scene, gaps included; None to go on without end.
        live: come at `rate`, as from a camera.
        people: in the scene at a time, 0 to 100.
        size: of the people, 0.1 to 2; at 1, faces in 1080p are 90 to 210 px high.
        speed: how fast they walk, 0.1 to 10; 1 is a usual pace.
        haze: from 0, none, to 1, thick fog.
        darkness: from 0, day, to 1, night with a noisy sensor.
        seed: of everything that is left to chance, 0 or more.
        truth: file to write the true faces of the frames that came to, in MOTChallenge form;
            None for no file. Its class is 1 with a mask, 2 without, 3 with one worn below the
            nose, and its last column is the visible share of the face.
        stream: name of the stream.

    Attributes:
        scene: draws any frame and knows its truth.
        live: as given.
        frames: as given.
        stream: as given.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: the truth file cannot be written.
    """

    def __init__(
        self,
        width: int = 1920,
        height: int = 1080,
        rate: float = 30.0,
        frames: int | None = 300,
        live: bool = False,
        people: int = 6,
        size: float = 1.0,
        speed: float = 1.0,
        haze: float = 0.0,
        darkness: float = 0.0,
        seed: int = 0,
        truth: str | None = None,
        stream: str = "synthetic",
    ) -> None:
        options.text("source.stream", stream)
        if truth is not None:
            options.text("source.truth", truth)
        options.boolean("source.live", live)
        self.live = live
        self.frames = None if frames is None else options.whole("source.frames", frames, 1, 10**9)
        self.stream = stream
        self._rate = options.number("source.rate", rate, 0.1, 1000)
        self.scene = Scene(
            options.whole("source.width", width, 64, 7680),
            options.whole("source.height", height, 64, 7680),
            people=options.whole("source.people", people, 0, 100),
            size=options.number("source.size", size, 0.1, 2),
            speed=options.number("source.speed", speed, 0.1, 10),
            haze=options.number("source.haze", haze, 0, 1),
            darkness=options.number("source.darkness", darkness, 0, 1),
            seed=options.whole("source.seed", seed, 0, 2**63 - 1),
            rate=self._rate,
        )
        self._stop = threading.Event()
        self._cadence = Cadence(self._rate, self._stop)
        self._next = 0
        self._truth = None if truth is None else TruthFile(truth)

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order, each once: another iteration goes on where one was left.

        Raises:
            SourceError: the truth cannot be written.
        """
        if self.live:
            # Nobody may hold up a camera by being drawn when they first appear.
            self.scene.prepare()
        while not self._stop.is_set():
            index = self._cadence.newest(self._next) if self.live else self._next
            if self.frames is not None and index >= self.frames:
                break
            self._next = index + 1
            frame = self._frame(index)
            if self._stop.is_set():
                break
            if self._truth is not None:
                self._truth.write(index, self.scene.truth(index))
            yield frame

    def _frame(self, index: int) -> Frame:
        rgb = self.scene.draw(index)
        captured = self._cadence.wait(index) if self.live else time.monotonic()
        return ArrayFrame(
            rgb, index=index, time=index / self._rate, captured=captured, stream=self.stream
        )

    def close(self) -> None:
        """End the iteration and finish the truth file; a second call does nothing."""
        self._stop.set()
        if self._truth is not None:
            self._truth.close()
