"""The newest image and figures, in the event loop: what all viewers look at."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

from aiohttp import web

from .jpeg import JpegEncoder
from .live_stats import LiveStats

PERIOD = 0.5
"""Seconds between two messages of figures."""


class ViewerHub:
    """What viewers look at, each at its own pace. To be used in the event loop alone.

    Args:
        figures: beside the image.
        images: encode the newest result while a viewer waits.
        seats: viewers at the same time.

    Attributes:
        figures: as given.
        viewers: that there are.
        jpeg: the newest image, empty before the first.
        number: of the newest image, from 1.
        over: set when the run is.
    """

    def __init__(self, live_stats: LiveStats, encoder: JpegEncoder, seats: int) -> None:
        self.live_stats = live_stats
        self.viewers = 0
        self.jpeg = b""
        self.number = 0
        self.over = asyncio.Event()
        self._encoder = encoder
        self._seats = seats
        self._waiting = 0
        self._news = asyncio.Event()

    def take(self, jpeg: bytes) -> None:
        """Show an image."""
        self.jpeg, self.number = jpeg, self.number + 1
        self._wake()

    def end(self) -> None:
        """Tell everybody that the run is over."""
        self.over.set()
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether there is room for no more viewers."""
        return self.viewers >= self._seats

    @contextlib.contextmanager
    def seat(self) -> Iterator[None]:
        """Be one of the viewers.

        Raises:
            HTTPServiceUnavailable: there are too many.
        """
        if self.full:
            raise web.HTTPServiceUnavailable(text="too many viewers: sink.web.max_viewers\n")
        self.viewers += 1
        try:
            yield
        finally:
            self.viewers -= 1

    async def after(self, seen: int) -> int:
        """Wait for the newest image but the one that was seen; return its number.

        It is `seen` if the run ends before there is one. An image that was encoded for another
        viewer will do only if there is no newer result: who comes seldom is shown nothing old.
        """
        if self.number == seen or self._encoder.pending:
            seen = self.number
            with self._wanted():
                while self.number == seen and not self.over.is_set():
                    await self._news.wait()
        return self.number

    @contextlib.contextmanager
    def _wanted(self) -> Iterator[None]:
        self._waiting += 1
        self._encoder.want(True)
        try:
            yield
        finally:
            self._waiting -= 1
            self._encoder.want(self._waiting > 0)

    async def messages(self) -> AsyncIterator[str]:
        """The figures as JSON, every PERIOD s; the last, with `over`, at the end of the run."""
        while not self.over.is_set():
            yield self._said()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self.over.wait()
        yield self._said()

    def _said(self) -> str:
        extra = {"viewers": self.viewers, "over": self.over.is_set()}
        return json.dumps(self.live_stats.snapshot() | extra)
