"""Request handlers of the history."""

from __future__ import annotations

import asyncio
import csv
import io
import math
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from vidan.errors import SinkError
from vidan.support.text import csv_cell

from ..heat_map.file import HeatMapFile
from ..pages import add_shared, page_file
from . import questions
from .level_questions import occupancy_table
from .questions import MAX_EVENTS
from .span import MAX_BINS, Span
from .store import reading

HISTORY_ROUTES = (
    ("GET", "history", "page"),
    ("GET", "history.css", "asset"),
    ("GET", "history.js", "asset"),
    ("GET", "overlay.js", "asset"),
    ("GET", "history.json", "summary"),
    ("GET", "history.csv", "table"),
    ("GET", "occupancy.csv", "occupancy"),
    ("GET", "events.json", "events"),
    ("GET", "events/{number}.jpg", "image"),
    ("GET", "video/{number}", "video"),
)
"""Method, path and handler."""

DEFAULT_EVENTS = 50
DEFAULT_BINS = 60


class Recording(NamedTuple):
    """A video of the stream.

    Attributes:
        path: of the file.
        start: stream time of its first frame, s.
    """

    path: Path
    start: float


class HistoryRoutes:
    """The page, and what it asks.

    Args:
        path: of the history.
        dated: whether times in it are s since 1970, else stream time.
        recordings: videos of a finished run, in the order of time.
        heat_map: of the stream; None for none.
        overlay: those of boxes, labels and trails that the page draws over the videos.
    """

    def __init__(
        self,
        path: Path,
        *,
        dated: bool,
        recordings: Sequence[Recording] = (),
        heat_map: HeatMapFile | None = None,
        overlay: Sequence[str] = (),
    ) -> None:
        self._path, self._dated, self._recordings = path, dated, recordings
        self._heat_map, self._overlay = heat_map, list(overlay)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handlers, with the page at the root and the files that it shares."""
        router.add_get("/", self.page)
        add_shared(router)
        for method, name, handler in HISTORY_ROUTES:
            router.add_route(method, f"/{name}", getattr(self, handler))

    async def page(self, _: web.Request) -> web.Response:
        """The page."""
        return page_file("history/history.html")

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the page."""
        return page_file(f"history/{request.path.rpartition('/')[2]}")

    async def summary(self, request: web.Request) -> web.Response:
        """Counts, visits, flows and objects from `begin` to `end` in `bins` intervals."""

        def answer(database: sqlite3.Connection) -> dict[str, Any]:
            extent = questions.extent(database)
            span = _span(request, extent)
            found = questions.summary(database, span)
            starts = [recording.start for recording in self._recordings]
            return {
                **found,
                "dated": self._dated,
                "extent": extent,
                "videos": starts,
                "overlay": self._overlay,
                "heat_map": self._heat_map is not None and self._heat_map.exists,
            }

        return web.json_response(await self._ask(answer))

    async def events(self, request: web.Request) -> web.Response:
        """The latest events, or those before number `before`."""
        before = _number(request, "before", None)
        limit = _number(request, "limit", DEFAULT_EVENTS)
        chosen = {key: request.query.get(key) or None for key in ("rule", "label", "kind")}

        def answer(database: sqlite3.Connection) -> list[dict[str, Any]]:
            return questions.events(
                database,
                before=None if before is None else int(before),
                limit=int(min(max(limit or 1, 1), MAX_EVENTS)),
                **chosen,
            )

        found = await self._ask(answer)
        return web.json_response({"dated": self._dated, "events": found})

    async def image(self, request: web.Request) -> web.Response:
        """The image of an event."""
        text = request.match_info["number"]
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
        found = await self._ask(lambda database: questions.image(database, number))
        if found is None:
            raise web.HTTPNotFound(text="there is no such image\n")
        return web.Response(body=found, content_type="image/jpeg")

    async def video(self, request: web.Request) -> web.FileResponse:
        """A recording, or a part of it."""
        text = request.match_info["number"]
        if not text.isdigit() or len(text) > 6 or int(text) >= len(self._recordings):
            raise web.HTTPNotFound(text="there is no such video\n")
        return web.FileResponse(self._recordings[int(text)].path)

    async def table(self, request: web.Request) -> web.Response:
        """The counts per interval as CSV."""
        heads = ["start", "rule", "kind", "direction", "label", "count"]
        return await self._csv(request, "history.csv", heads, questions.table)

    async def occupancy(self, request: web.Request) -> web.Response:
        """The objects in zones per interval as CSV."""
        heads = ["start", "rule", "mean", "peak"]
        return await self._csv(request, "occupancy.csv", heads, occupancy_table)

    async def _csv(
        self,
        request: web.Request,
        name: str,
        heads: Sequence[str],
        table: Callable[[sqlite3.Connection, Span], Iterable[tuple[Any, ...]]],
    ) -> web.Response:
        """A table whose first column is a time, as a file to download."""

        def answer(database: sqlite3.Connection) -> str:
            span = _span(request, questions.extent(database))
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow(heads)
            for start, *row in table(database, span):
                writer.writerow([self._time(start), *map(csv_cell, row)])
            return text.getvalue()

        response = web.Response(
            text=await self._ask(answer), content_type="text/csv", charset="utf-8"
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    async def _ask(self, answer: Callable[[sqlite3.Connection], Any]) -> Any:
        """What a function answers, called in a thread."""

        def read() -> Any:
            with reading(self._path) as database:
                return answer(database)

        try:
            return await asyncio.to_thread(read)
        except SinkError as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error

    def _time(self, seconds: float) -> str:
        if not self._dated:
            return f"{seconds:g}"
        return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds")


def _span(request: web.Request, extent: tuple[float, float] | None) -> Span:
    """The span of a request; that of the whole history by default.

    Raises:
        HTTPBadRequest: a number is not one.
    """
    first, last = extent or (0.0, 60.0)
    begin, end = _number(request, "begin", first), _number(request, "end", last + 1e-3)
    bins = int(_number(request, "bins", DEFAULT_BINS) or 0)
    if begin is None or end is None or end <= begin or not 1 <= bins <= MAX_BINS:
        raise web.HTTPBadRequest(text=f"expected begin < end, and bins from 1 to {MAX_BINS}\n")
    rule, label = (request.query.get(key) or None for key in ("rule", "label"))
    return Span(begin, (end - begin) / bins, bins, rule, label)


def _number(request: web.Request, key: str, default: float | None) -> float | None:
    text = request.query.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < 1e12:  # also for NaN
        raise web.HTTPBadRequest(text=f"{key}: expected a number\n")
    return value
