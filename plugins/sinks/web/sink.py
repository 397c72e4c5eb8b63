"""`sink=web`: a live view in the browser."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import Meta

from vidan.errors import ConfigError, SinkError
from vidan.events import Event
from vidan.options import SECRET
from vidan.scene import SceneContext
from vidan.stats import Stats
from vidan.types import Result

from ..drawing.options import ALL, Values
from ..drawing.painter import Painter
from ..http.endpoint import listen
from ..http.metrics import Metrics
from .live_scene import LiveScene
from .live_stats import LiveStats
from .server import Server

log = logging.getLogger(__name__)


class Web:
    """Serves a page with the newest result: image, statistics, events.

    Args:
        host: address to listen on; other than the loopback address requires a token.
        port: to listen on; 0 for any free port.
        token: secret that viewers must present, at least 16 characters.
        certificate: PEM file for HTTPS; requires `key`.
        key: PEM file with the private key of the certificate, without a password.
        width: maximum width of the image, px; larger images are scaled down.
        quality: JPEG quality, 1 to 100.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a viewer that does not read or request is disconnected.
        drawing: options of the config group `drawing`; None to draw nothing.
        edit: whether viewers may draw lines and zones; requires `token` and a scene file.
        scene: lines and zones; given by the run.

    Attributes:
        address: URL of the page, with the port that is used.
        port: that is used.
        live_stats: what the page shows beside the image.
        server: runs until the sink is closed.

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
        max_viewers: Annotated[int, Meta(ge=1)] = 8,
        timeout: Annotated[float, Meta(gt=0)] = 10.0,
        drawing: Values = ALL,
        edit: bool = False,
        scene: SceneContext | None = None,
    ) -> None:
        if edit and token is None:
            raise ConfigError(
                "sink.web.edit=true: viewers could change the scene: set sink.web.token"
            )
        self._scene = LiveScene(scene) if edit else None
        endpoint = listen(host, port, token, certificate, key)
        self.port, self.address = endpoint.port, endpoint.url
        self._closed = False
        self.live_stats = LiveStats()
        self._metrics = Metrics()
        self._stream = self._metrics.add_stream()
        self.server = Server(
            endpoint,
            self.live_stats,
            self._metrics,
            width,
            quality,
            max_viewers,
            timeout,
            Painter.of(drawing),
            self._scene,
        )
        log.info("watch at %s%s", self.address, "?token=..." if token else "")

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self.server.viewers

    def bind_stats(self, stats: Stats) -> None:
        """See StatsAware."""
        self.live_stats.stats = self._stream.stats = stats

    def bind_scene(self, change: Callable[[SceneContext], None]) -> None:
        """See SceneEditor."""
        if self._scene is not None:
            self._scene.bind(change)

    def write(self, result: Result) -> None:
        """Show a result; never waits for a viewer."""
        self._raise_server_error()
        if self._scene is not None:
            self._scene.newest = result
        self.live_stats.add(result)
        self._stream.add(result)
        self.server.encoder.submit(result)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: list events beside the image, and highlight them in it."""
        self.live_stats.add_events(events)
        self.server.encoder.notice(events)

    def close(self) -> None:
        """Tell the viewers that the run has ended; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self.server.close()
            self._raise_server_error()

    def _raise_server_error(self) -> None:
        error = self.server.error
        if error is not None:
            raise SinkError(f"the view at {self.address!r} failed: {error}") from error
