"""`sink=web`: a live view in the browser."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from vidan import options
from vidan.config.build import RunContext
from vidan.errors import ConfigError, SinkError
from vidan.events import Event
from vidan.options import SECRET
from vidan.scene import SceneContext
from vidan.stats import Stats
from vidan.types import Result

from ..drawing.options import ALL, Drawing, Values
from ..drawing.painter import Painter
from ..http.endpoint import listen
from .choices import NOTHING, Choice
from .heat_map.file import HeatMapFile
from .heat_map.routes import HeatMapRoutes
from .history.recorder import HistoryRecorder
from .history.routes import HistoryRoutes
from .jpeg import JpegEncoder
from .live_scene import LiveScene
from .live_stats import LiveStats
from .live_stream import LiveStream
from .server import SERVERS, Server

log = logging.getLogger(__name__)

FOLDER = Path("runs/history")
"""Folder of the histories of cameras."""


class Web:
    """Serves a page with the newest result: image, statistics, events.

    Several streams with the same address share a server, whose first page shows them all.

    Args:
        host: address to listen on; other than the loopback address requires a token.
        port: to listen on; 0 for any free port.
        token: secret that viewers must present, at least 16 characters.
        certificate: PEM file for HTTPS; requires `key`.
        key: PEM file with the private key of the certificate, without a password.
        width: maximum width of the image, px; larger images are scaled down.
        quality: JPEG quality, 1 to 100.
        rate: most images per second that viewers get, however many frames the run processes.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a viewer that does not read or request is disconnected.
        drawing: options of the config group `drawing`; None to draw nothing.
        edit: whether viewers may draw lines and zones; requires `token` and a scene file.
        history: whether to keep events and numbers of objects for the page, or the path of a SQLite
            file. By default it is `runs/history/<stream>.sqlite` for a camera, where the next run
            continues it, and `history.sqlite` in the directory of the run for a file.
        history_keep: age after which the history is deleted, such as `31d`.
        heatmap: path of the files of `analytics=heatmap`, to show them over the image; None for
            none.
        scene: lines and zones; given by the run.
        run: given by the run.

    Attributes:
        address: URL of the page, with the port that is used.
        port: that is used.
        live_stats: what the page shows beside the image.
        encoder: encodes the results for viewers.
        server: runs until the sinks of all its streams are closed.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the server cannot listen on this address.
    """

    lossless = False

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: Annotated[int, Meta(ge=0, le=65535)] = 8000,
        token: Annotated[str, SECRET] | None = None,
        certificate: str | None = None,
        key: str | None = None,
        width: Annotated[int, Meta(ge=16)] = 1280,
        quality: Annotated[int, Meta(ge=1, le=100)] = 80,
        rate: Annotated[float, Meta(gt=0)] = 10.0,
        max_viewers: Annotated[int, Meta(ge=1)] = 8,
        timeout: Annotated[float, Meta(gt=0)] = 10.0,
        drawing: Values = ALL,
        edit: bool = False,
        history: bool | str = True,
        history_keep: str = "31d",
        heatmap: str | None = None,
        scene: SceneContext | None = None,
        run: RunContext | None = None,
    ) -> None:
        if edit and token is None:
            raise ConfigError(
                "sink.web.edit=true: viewers could change the scene: set sink.web.token"
            )
        self._scene = LiveScene(scene) if edit else None
        self._history = _history(history, history_keep, run)
        shown = NOTHING if drawing is None else Drawing.of(drawing)
        shared = token, certificate, key, max_viewers, timeout

        def start() -> Server:
            endpoint = listen(host, port, token, certificate, key)
            log.info("watch at %s%s", endpoint.url, "?token=..." if token else "")
            return Server(endpoint, max_viewers, timeout)

        self.server = SERVERS.join(host, port, shared, start)
        self.port, self.address = self.server.port, self.server.url
        self._closed = False
        self.live_stats = LiveStats()
        self._metrics = self.server.metrics.add_stream()
        self.encoder = JpegEncoder(width, quality, rate, shown, self._publish)
        heat_map = (
            None if heatmap is None else HeatMapFile(options.path("heatmap", heatmap), time.time())
        )
        name = "stream" if run is None else run.stream
        self._live = LiveStream(
            name,
            self.live_stats,
            self.encoder,
            max_viewers,
            timeout,
            Painter(shown),
            self._scene,
            None
            if self._history is None
            else HistoryRoutes(self._history.path, dated=self._history.dated, heat_map=heat_map),
            None if heat_map is None else HeatMapRoutes(heat_map),
        )
        self.server.add(self._live)

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self._live.viewers

    @property
    def images(self) -> int:
        """Number of images that were encoded for viewers."""
        return self._live.hub.number

    def bind_stats(self, stats: Stats) -> None:
        """See StatsAware."""
        self.live_stats.stats = self._metrics.stats = stats

    def bind_scene(self, change: Callable[[SceneContext], None]) -> None:
        """See SceneEditor."""
        if self._scene is not None:
            self._scene.bind(change)

    def write(self, result: Result) -> None:
        """Show a result; never waits for a viewer."""
        self._raise_server_error()
        if self._scene is not None:
            self._scene.newest = result
        if self._history is not None:
            self._history.write(result)
        self.live_stats.add(result)
        self._metrics.add(result)
        self.encoder.submit(result)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: list events beside the image, and highlight them in it."""
        self.live_stats.add_events(events)
        if self._history is not None:
            self._history.emit(events)
        self.encoder.notice(events)

    def close(self) -> None:
        """Tell the viewers that the run has ended; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self.encoder.close(finish=self.viewers > 0)
            self._metrics.end()
            self.server.call(self._live.hub.end)
            SERVERS.leave(self.server)
            if self._history is not None:
                self._history.close()
            self._raise_server_error()

    def _raise_server_error(self) -> None:
        error = self.server.error or self.encoder.error
        if error is not None:
            raise SinkError(f"the view at {self.address!r} failed: {error}") from error

    def _publish(self, choice: Choice, result: int, jpeg: bytes) -> None:
        self.server.call(partial(self._live.hub.publish, choice, result), jpeg)

    @property
    def outputs(self) -> list[str]:
        """The path of the history."""
        return [] if self._history is None else [str(self._history.path)]


def _history(given: bool | str, keep: str, run: RunContext | None) -> HistoryRecorder | None:
    """The history of a run; None if it has none.

    Raises:
        ConfigError: an option is invalid.
        SinkError: the file cannot be opened.
    """
    age = options.measure("history_keep", keep, options.SECONDS)
    if given is False or run is None:
        return None
    if isinstance(given, str):
        path = options.path("history", given)
    elif run.live:
        path = FOLDER / f"{run.stream}.sqlite"
    else:
        path = run.directory / "history.sqlite"
    return HistoryRecorder(path, run.id, age, live=run.live)
