"""Serves the page, images and statistics."""

from __future__ import annotations

from ..drawing.painter import Painter
from ..http.endpoint import Endpoint
from ..http.metrics import Metrics
from ..http.server import HttpServer
from .jpeg import JpegEncoder
from .live_scene import LiveScene
from .live_stats import LiveStats
from .viewer_hub import ViewerHub
from .views import Views

CONNECTIONS_PER_VIEWER = 8
"""Browsers open up to 6 connections to load a page."""

SPARE_CONNECTIONS = 16
"""Connections beside those of viewers, for `/metrics` and the like."""


class Server:
    """Serves the page, images and statistics until it is closed.

    Args:
        endpoint: where it listens, and who has access.
        live_stats: shown beside the image.
        metrics: for Prometheus.
        width: maximum width of the image, px.
        quality: JPEG quality, 1 to 100.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a client that does not read or request is disconnected.
        painter: draws the results.
        scene: that may be edited; None for none.

    Attributes:
        encoder: encodes the results submitted to it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        live_stats: LiveStats,
        metrics: Metrics,
        width: int,
        quality: int,
        max_viewers: int,
        timeout: float,
        painter: Painter,
        scene: LiveScene | None = None,
    ) -> None:
        self.encoder = JpegEncoder(width, quality, painter, self._publish)
        self._hub = ViewerHub(live_stats, self.encoder, max_viewers, editable=scene is not None)
        metrics.add_gauge("viewers", lambda: self._hub.viewers)
        self._http = HttpServer(
            endpoint,
            Views(self._hub, metrics, timeout, scene).add_to,
            name="vidan-web",
            max_connections=CONNECTIONS_PER_VIEWER * max_viewers + SPARE_CONNECTIONS,
            timeout=timeout,
            before_close=self._hub.wait_for_viewers,
        )

    @property
    def error(self) -> BaseException | None:
        """What failed in the server or in the encoder, if anything."""
        return self._http.error or self.encoder.error

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self._hub.viewers

    @property
    def images(self) -> int:
        """Number of images that were encoded for viewers."""
        return self._hub.number

    @property
    def running(self) -> bool:
        """Whether the server thread is alive."""
        return self._http.running

    def close(self) -> None:
        """Send the last image and the end of the run to the viewers, and release the port.

        Takes a few seconds at most, whatever the viewers do; a second call does nothing.
        """
        self.encoder.close(finish=self.viewers > 0)
        self._http.call(self._hub.end)
        self._http.close()

    def _publish(self, jpeg: bytes) -> None:
        self._http.call(self._hub.publish, jpeg)
