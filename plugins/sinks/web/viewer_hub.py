"""Hands the newest image and the statistics to all viewers; lives in the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from aiohttp import web

from vidan.images import jpeg
from vidan.types import Result

from ..drawing.painter import Painter
from ..http.server import CLOSE_TIMEOUT_S
from .choices import Choice
from .heat_map.file import HeatMapFile
from .jpeg import UNLIMITED_PX, JpegEncoder
from .live_stats import LiveStats

THUMBNAIL_WIDTH, THUMBNAIL_QUALITY = 480, 75
"""Maximum width of small images, px, and JPEG quality."""

THUMBNAIL_AGE_S = 0.5
"""Time for which a small image is used again."""

STATS_INTERVAL_S = 0.5
"""Time between two messages with statistics."""


@dataclass(slots=True, eq=False)
class Viewer:
    """A viewer, and what it has chosen to see."""

    choice: Choice


@dataclass(slots=True, eq=False)
class _Images:
    """The images of a choice: the newest, and how many viewers wait for the next.

    Attributes:
        jpeg: the newest.
        number: of it.
        result: number of the result that it shows.
        waiting: number of viewers.
    """

    jpeg: bytes = b""
    number: int = 0
    result: int = 0
    waiting: int = 0


class ViewerHub:
    """Serves each viewer at its own pace. To be used in the event loop only.

    Args:
        live_stats: shown beside the image.
        encoder: encodes the newest result while a viewer waits.
        max_viewers: maximum number of simultaneous viewers.
        thumbnails: draws small images.
        editable: whether viewers may edit the scene.
        recorded: whether there is a history.
        heat_map: of the stream; None for none.

    Attributes:
        live_stats: as given.
        viewers: number of viewers.
        number: of the newest image, from 1.
        ended: set when the run has ended.
    """

    def __init__(
        self,
        live_stats: LiveStats,
        encoder: JpegEncoder,
        max_viewers: int,
        thumbnails: Painter,
        editable: bool = False,
        recorded: bool = False,
        heat_map: HeatMapFile | None = None,
    ) -> None:
        self.live_stats = live_stats
        self.viewers = 0
        self.number = 0
        self._images: defaultdict[Choice, _Images] = defaultdict(_Images)
        self.ended = asyncio.Event()
        self._encoder = encoder
        self._max_viewers, self._editable, self._recorded = max_viewers, editable, recorded
        self._heat_map = heat_map
        self._thumbnails, self._thumbnail = thumbnails, b""
        self._thumbnail_of: tuple[float, Result | None] = -math.inf, None  # when, and of which
        self._drawing = asyncio.Lock()
        self._changed = asyncio.Event()

    def publish(self, choice: Choice, result: int, jpeg: bytes) -> None:
        """Set the newest image of a choice, which shows a result, given by its number."""
        self.number += 1
        images = self._images[choice]
        images.jpeg, images.number, images.result = jpeg, self.number, result
        self._notify()

    def jpeg(self, viewer: Viewer) -> bytes:
        """The newest image for a viewer; empty before the first."""
        return self._images[viewer.choice].jpeg

    def choose(self, viewer: Viewer, choice: Choice) -> None:
        """Change what a viewer sees, also in the image that it waits for."""
        viewer.choice = choice
        self._notify()

    def end(self) -> None:
        """Tell all viewers that the run has ended."""
        self.ended.set()
        self._notify()

    async def wait_for_viewers(self) -> None:
        """Wait up to CLOSE_TIMEOUT_S until all viewers have received the end of the run."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while self.viewers:
                    await asyncio.sleep(0.02)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def newest(self) -> Result | None:
        """The newest result; None before the first."""
        return self._encoder.newest

    @property
    def full(self) -> bool:
        """Whether the maximum number of viewers is reached."""
        return self.viewers >= self._max_viewers

    @contextlib.contextmanager
    def viewer(self) -> Iterator[Viewer]:
        """Count as a viewer within the block.

        Raises:
            HTTPServiceUnavailable: the maximum number of viewers is reached.
        """
        if self.full:
            raise web.HTTPServiceUnavailable(text="too many viewers (max_viewers)\n")
        self.viewers += 1
        try:
            yield self.new_viewer()
        finally:
            self.viewers -= 1

    def new_viewer(self) -> Viewer:
        """One that sees what is configured, and does not count."""
        return Viewer(self._encoder.configured)

    async def newer_than(self, seen: int, viewer: Viewer) -> int:
        """Wait for an image for a viewer other than number `seen`; returns its number.

        Returns `seen` if the run ends first. An image encoded for another viewer is used only if
        there is no newer result, so that slow viewers never get a stale frame.
        """
        while not self.ended.is_set():
            choice = viewer.choice
            images = self._images[choice]
            last = images.number
            if last != seen and images.result == self._encoder.number:
                return last
            with self._requested(choice):
                while images.number == last and not self.ended.is_set():
                    await self._changed.wait()
                    if viewer.choice != choice:
                        break
                else:
                    return images.number
        return seen

    async def thumbnail(self) -> bytes | None:
        """A small image, at most THUMBNAIL_AGE_S older than the newest; None before the first."""
        async with self._drawing:
            result = self._encoder.newest
            made, last = self._thumbnail_of
            now = time.monotonic()
            if result is not None and result is not last and now - made >= THUMBNAIL_AGE_S:
                self._thumbnail = await asyncio.to_thread(self._draw_thumbnail, result)
                self._thumbnail_of = now, result
        return self._thumbnail or None

    def _draw_thumbnail(self, result: Result) -> bytes:
        image = self._thumbnails.annotate(result, (THUMBNAIL_WIDTH, UNLIMITED_PX))
        return jpeg(image, THUMBNAIL_QUALITY)

    @contextlib.contextmanager
    def _requested(self, choice: Choice) -> Iterator[None]:
        images = self._images[choice]
        images.waiting += 1
        self._encoder.request(choice, True)
        try:
            yield
        finally:
            images.waiting -= 1
            self._encoder.request(choice, images.waiting > 0)

    async def messages(self) -> AsyncIterator[str]:
        """Statistics as JSON, every STATS_INTERVAL_S; the last message has `ended` set."""
        while not self.ended.is_set():
            yield self._message()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STATS_INTERVAL_S):
                    await self.ended.wait()
        yield self._message()

    def _message(self) -> str:
        state = {
            "viewers": self.viewers,
            "ended": self.ended.is_set(),
            "editable": self._editable,
            "recorded": self._recorded,
            "heat_map": self._heat_map is not None and self._heat_map.exists,
            "shown": sorted(self._encoder.configured),
        }
        return json.dumps(self.live_stats.snapshot() | state)
