"""The tracks of a finished run, which the page draws over its video."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from aiohttp import web
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vidan.errors import ConfigError
from vidan.execution.directory import CONFIG_FOLDER

from ...sinks.drawing.options import Drawing
from ...sinks.web.choices import PARTS, configured

log = logging.getLogger(__name__)

TIME = re.compile(rb'"time": (-?[0-9.]+)')

MAX_SPAN_S = 60.0
"""Longest time of one answer, s."""

CONFIGS = (f"{CONFIG_FOLDER}/config.yaml", "config.yaml")
"""Files with the configuration of a run; the second for one of several streams."""

KEYS = ("id", "box", "score", "label", "coasting")
"""What the page is told about a track."""


class TrackFiles:
    """The files of `sink=jsonl`, in which frames are found by their time.

    Args:
        paths: of the files, in the order of time: several if the sink has `keep`.

    Raises:
        ConfigError: one cannot be read.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._times, self._files, self._offsets = array("d"), array("i"), array("q")
        for number, path in enumerate(paths):
            try:
                self._index(number, path)
            except (OSError, ValueError) as error:
                raise ConfigError(f"cannot read {str(path)!r}: {error}") from error

    def _index(self, number: int, path: Path) -> None:
        offset = 0
        with path.open("rb") as file:
            for line in file:
                found = TIME.search(line)
                if found is not None and line.endswith(b"}\n"):
                    self._times.append(float(found[1]))
                    self._files.append(number)
                    self._offsets.append(offset)
                offset += len(line)

    def between(self, begin: float, end: float) -> list[dict[str, Any]]:
        """The frames from `begin` until `end`, s: time, size of the image, and tracks.

        Raises:
            ConfigError: a file cannot be read.
        """
        first, last = bisect_left(self._times, begin), bisect_left(self._times, end)
        frames = []
        for number, found in groupby(range(first, last), lambda n: self._files[n]):
            path = self._paths[number]
            try:
                with path.open("rb") as file:
                    for n in found:
                        file.seek(self._offsets[n])
                        frames.append(_frame(json.loads(file.readline())))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise ConfigError(f"cannot read {str(path)!r}: {error}") from error
        return frames


def _frame(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "time": line["time"],
        "size": [line["width"], line["height"]],
        "tracks": [{key: track[key] for key in KEYS} for track in line["tracks"]],
    }


class TrackRoutes:
    """What the page asks about tracks.

    Args:
        files: that have them.
    """

    def __init__(self, files: TrackFiles) -> None:
        self._files = files

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handler."""
        router.add_get("/tracks.json", self.tracks)

    async def tracks(self, request: web.Request) -> web.Response:
        """The frames from `begin` until `end`, stream time, s."""
        try:
            begin, end = (float(request.query[key]) for key in ("begin", "end"))
        except (KeyError, ValueError):
            raise web.HTTPBadRequest(text="expected begin and end, s\n") from None
        if not 0 <= end - begin <= MAX_SPAN_S:  # also for NaN
            raise web.HTTPBadRequest(text=f"expected at most {MAX_SPAN_S:g} s\n")
        try:
            frames = await asyncio.to_thread(self._files.between, begin, end)
        except ConfigError as error:
            raise web.HTTPServiceUnavailable(text=f"{error}\n") from error
        return web.json_response(frames)


def parts_to_draw(directory: Path) -> list[str]:
    """Those of boxes, labels and trails that its configuration leaves out of the video of a run."""
    path = next((path for name in CONFIGS if (path := directory / name).is_file()), None)
    if path is None:
        log.warning(
            "%s has no %s, which says what its video lacks: the page draws nothing over it",
            directory,
            CONFIGS[0],
        )
        return []
    try:
        config = OmegaConf.load(path)
        drawing = OmegaConf.select(config, "sink.video.drawing")
        values: Any = OmegaConf.to_container(drawing, resolve=True)
        drawn = configured(Drawing.of(values))
    except (OSError, ValueError, TypeError, ConfigError, OmegaConfBaseException):
        return []
    return [part for part in PARTS if part not in drawn]
