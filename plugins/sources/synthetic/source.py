"""`source=synthetic`: people in a street, drawn by vidan itself, with ground truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from vidan import options
from vidan.frames import ArrayFrame
from vidan.scene import SceneContext
from vidan.types import Frame

from ...formats.scene_file import load_scene
from ..pacing import Pacer
from .ground_truth import TrueEventsFile, TruthFile, truth_lines
from .scene.scene import Scene
from .true_events import TrueEvents


class Synthetic:
    """The frames of a drawn street with people, some of whom wear a mask or a beard.

    The same options produce the same pixels. Live, it behaves like a camera: frames become due
    at `rate`, a late reader gets the newest frame that is due, and the skipped ones are gaps in
    the index; `captured` is when a frame became due. Otherwise every frame is returned as soon as
    it is requested, and `captured` is when it was drawn. Stream time is `index / rate`.

    Args:
        width: of the image, px, 64 to 7680.
        height: of the image, px, 64 to 7680.
        rate: frames per second of the scene and, if live, of the clock; 0.1 to 1000.
        frames: length of the scene, gaps included; None for an endless scene.
        live: whether frames come at `rate`, as from a camera.
        people: number of people in the scene at a time, 0 to 100.
        size: scale of the people, 0.1 to 2; at 1, faces in 1080p are 90 to 210 px high.
        speed: how fast people walk, 0.1 to 10; 1 is a usual pace.
        haze: 0 (clear) to 1 (thick fog).
        darkness: 0 (day) to 1 (night with a noisy sensor).
        seed: of the random number generators, 0 or more.
        ground_truth: file for the true faces of the frames that were read, in MOTChallenge
            format; None for no file. The class is 1 with a mask, 2 without, 3 with a mask below
            the nose, and the last column is the visible fraction of the face.
        true_events: file for the true crossings and visits of the scene's lines and zones, in the
            format of `sink=events`, with the anchors of the faces; see `TrueEvents`. None for no
            file.
        stream: name of the stream.
        scene: lines and zones; given by the run.

    Attributes:
        street: draws any frame and knows its ground truth.
        live: as given.
        frames: as given.
        stream: as given.

    Raises:
        ConfigError: an option has a bad value.
        SourceError: the ground truth file cannot be written.
    """

    def __init__(
        self,
        width: Annotated[int, Meta(ge=64, le=7680)] = 1920,
        height: Annotated[int, Meta(ge=64, le=7680)] = 1080,
        rate: Annotated[float, Meta(ge=0.1, le=1000)] = 30.0,
        frames: Annotated[int, Meta(ge=1, le=10**9)] | None = 300,
        live: bool = False,
        people: Annotated[int, Meta(ge=0, le=100)] = 6,
        size: Annotated[float, Meta(ge=0.1, le=2)] = 1.0,
        speed: Annotated[float, Meta(ge=0.1, le=10)] = 1.0,
        haze: Annotated[float, Meta(ge=0, le=1)] = 0.0,
        darkness: Annotated[float, Meta(ge=0, le=1)] = 0.0,
        seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0,
        ground_truth: str | None = None,
        true_events: str | None = None,
        stream: str = "synthetic",
        scene: SceneContext | None = None,
    ) -> None:
        options.text("stream", stream)
        for key, path in (("ground_truth", ground_truth), ("true_events", true_events)):
            if path is not None:
                options.text(key, path)
        self.live = live
        self.frames = frames
        self.stream = stream
        self.image_size = (width, height)
        self._rate = rate
        self.street = Scene(
            width,
            height,
            people=people,
            size=size,
            speed=speed,
            haze=haze,
            darkness=darkness,
            seed=seed,
            rate=rate,
        )
        self._stopped = threading.Event()
        self._pacer = Pacer(self._stopped)
        self._next = 0
        self._faces = None if ground_truth is None else TruthFile("ground_truth", ground_truth)
        self._events: TrueEventsFile | None = None
        if true_events is not None:
            values = {} if scene is None else scene.values
            shapes = load_scene(SceneContext(values, size=self.image_size))
            truth = TrueEvents(self.street, shapes, self.image_size, stream, rate)
            self._events = TrueEventsFile(true_events, truth)

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order, each once: another iteration continues where one was left.

        Raises:
            SourceError: the ground truth cannot be written.
        """
        if self.live:
            # Drawing people when they first appear would delay frames.
            self.street.prepare()
        while not self._stopped.is_set():
            index = self._newest_due() if self.live else self._next
            if self.frames is not None and index >= self.frames:
                break
            self._next = index + 1
            frame = self._frame(index)
            if self._stopped.is_set():
                break
            if self._faces is not None:
                self._faces.write(truth_lines(index, self.street.ground_truth(index)))
            if self._events is not None:
                self._events.write(index)
            yield frame

    def _newest_due(self) -> int:
        """The next frame, or the newest that is due if it is later: a camera holds one image."""
        return max(self._next, int(self._pacer.elapsed() * self._rate))

    def _frame(self, index: int) -> Frame:
        rgb = self.street.draw(index)
        stream_time = index / self._rate
        captured = self._pacer.wait(stream_time) if self.live else time.monotonic()
        return ArrayFrame(rgb, index=index, time=stream_time, captured=captured, stream=self.stream)

    def close(self) -> None:
        """End the iteration and close the ground truth file; a second call does nothing."""
        self._stopped.set()
        for file in (self._faces, self._events):
            if file is not None:
                file.close()
