"""Serves the history of a finished run, and its video, until Ctrl-C."""

from __future__ import annotations

import json
import logging
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import av.error
from aiohttp import web
from omegaconf import OmegaConf

from vidan.config.check import checked
from vidan.config.compose import compose
from vidan.errors import ConfigError
from vidan.events import Event
from vidan.execution.directory import CONFIG_FOLDER

from ...sinks.web.heat_map.file import HeatMapFile
from ...sinks.web.heat_map.routes import HeatMapRoutes
from ...sinks.web.history.routes import HistoryRoutes, Recording
from ...sinks.web.history.store import HistoryStore
from ...sources.ffmpeg.references import restrictions
from ..serving import ServerSettings, serve
from .tracks import TrackFiles, TrackRoutes, parts_to_draw

log = logging.getLogger(__name__)

HISTORY, EVENTS, HEATMAP = "history.sqlite", "events.jsonl", "heatmap"
TRACKS = "results.jsonl"
TRACKS_PATTERN = "results*.jsonl"
VIDEOS = (".mp4", ".mkv", ".mov", ".webm")


def run(arguments: Sequence[str]) -> int:
    """Serve the run in the directory that is named first."""
    named = [each for each in arguments if "=" not in each]
    if len(named) != 1:
        raise ConfigError("name the directory of a run: vidan view <run directory>")
    directory = Path(named[0])
    config = compose([each for each in arguments if "=" in each], "view")
    values: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    settings = checked(ServerSettings, values)
    with _history(directory) as path:
        heat_map = HeatMapFile(directory / HEATMAP)
        recordings = _recordings(directory)
        tracks = tracks_of(directory)
        overlay = overlay_of(directory, tracks) if recordings else []
        history = HistoryRoutes(
            path, dated=False, recordings=recordings, heat_map=heat_map, overlay=overlay
        )

        def add_routes(router: web.UrlDispatcher) -> None:
            history.add_to(router)
            HeatMapRoutes(heat_map).add_to(router)
            if tracks is not None:
                TrackRoutes(tracks).add_to(router)

        serve(settings, add_routes, "see it at")
    return 0


@contextmanager
def _history(directory: Path) -> Iterator[Path]:
    """The history of a run, made of its events if it has none.

    Raises:
        ConfigError: the directory has neither.
    """
    if (directory / HISTORY).is_file():
        yield directory / HISTORY
        return
    if not (directory / EVENTS).is_file():
        streams = sorted(path.parent.name for path in directory.glob(f"*/{CONFIG_FOLDER}"))
        if streams:
            raise ConfigError(
                f"{str(directory)!r} has several streams: vidan view "
                f"{directory / streams[0]}, or another of {', '.join(streams)}"
            )
        raise ConfigError(
            f"{str(directory)!r} has neither {HISTORY} nor {EVENTS}: run with sink=[web] or "
            "sink=[video,events]"
        )
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="vidan")))
        store = HistoryStore(folder / HISTORY, "run", math.inf)
        opened.callback(store.close)
        _fill(store, directory / EVENTS)
        store.commit()
        yield folder / HISTORY


def _fill(store: HistoryStore, path: Path) -> None:
    """Add the events of a file, whose last line may be incomplete.

    Raises:
        ConfigError: it cannot be read, or another line is no event.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    for number, line in enumerate(lines, 1):
        try:
            event = Event(**json.loads(line))
        except (ValueError, TypeError) as error:
            if number == len(lines):
                return
            raise ConfigError(f"{str(path)!r}, line {number}: not an event") from error
        store.add(event, event.time, None)


def tracks_of(directory: Path) -> TrackFiles | None:
    """The tracks of a run; None if they were not written.

    Raises:
        ConfigError: a file cannot be read.
    """
    paths = sorted(directory.glob(TRACKS_PATTERN))
    return TrackFiles(paths) if paths else None


def overlay_of(directory: Path, tracks: TrackFiles | None) -> list[str]:
    """What the page draws over the video of a run; logs what it cannot draw."""
    lacking = parts_to_draw(directory)
    if lacking and tracks is None:
        log.warning(
            "the video lacks %s, and there is no %s to draw from: run with "
            "sink=[video,events,jsonl]",
            ", ".join(lacking),
            TRACKS,
        )
        return []
    return lacking


def _recordings(directory: Path) -> list[Recording]:
    """The videos in a directory, one after another in the order of their names."""
    found, start = [], 0.0
    for path in sorted(path for path in directory.iterdir() if path.suffix in VIDEOS):
        options = restrictions(path, "")
        with (
            suppress(av.error.FFmpegError, OSError),
            av.open(f"file:{path}", options=options) as container,
        ):
            found.append(Recording(path, start))
            start += (container.duration or 0) / av.time_base
    return found
