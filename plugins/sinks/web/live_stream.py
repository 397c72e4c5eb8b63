"""One stream of the server: its newest image, its statistics, its scene."""

from __future__ import annotations

from typing import Any

from ..drawing.painter import Painter
from ..http.metrics import STALLED_AFTER_S
from .editor.routes import EditorRoutes
from .heat_map.routes import HeatMapRoutes
from .history.routes import HistoryRoutes
from .jpeg import JpegEncoder
from .live_scene import LiveScene
from .live_stats import LiveStats
from .viewer_hub import ViewerHub
from .views import Views


class LiveStream:
    """What viewers of one stream see.

    Args:
        name: of the stream.
        live_stats: shown beside the image.
        encoder: of its images.
        max_viewers: maximum number of simultaneous viewers.
        timeout: time, s, after which a viewer that does not read is disconnected.
        thumbnails: draws small images.
        scene: that may be edited; None for none.
        history: of the stream; None for none.
        heat_map: of the stream; None for none.

    Attributes:
        history: as given.
        heat_map: as given.
        name: of the stream.
        hub: of its viewers.
        views: the request handlers.
        editor: those of the editor; None if the scene cannot be edited.
    """

    def __init__(
        self,
        name: str,
        live_stats: LiveStats,
        encoder: JpegEncoder,
        max_viewers: int,
        timeout: float,
        thumbnails: Painter,
        scene: LiveScene | None,
        history: HistoryRoutes | None,
        heat_map: HeatMapRoutes | None,
    ) -> None:
        self.name, self.history, self.heat_map = name, history, heat_map
        self._stats = live_stats
        self.hub = ViewerHub(
            live_stats,
            encoder,
            max_viewers,
            thumbnails,
            editable=scene is not None,
            recorded=history is not None,
            heat_map=None if heat_map is None else heat_map.file,
        )
        self.views = Views(self.hub, timeout)
        self.editor = scene and EditorRoutes(scene.file, scene, scene.apply, live=True)

    @property
    def viewers(self) -> int:
        """Number of viewers."""
        return self.hub.viewers

    def state(self) -> dict[str, Any]:
        """Whether it is live, and what is in it, ready for JSON."""
        stats = self._stats.snapshot()
        age = stats["age"]
        if self.hub.ended.is_set():
            state = "ended"
        elif age is None:
            state = "waiting"
        else:
            state = "lost" if age > STALLED_AFTER_S else "live"
        return {
            "name": self.name,
            "state": state,
            "age": age,
            "latency": stats["latency"][-1][1] if stats["latency"] else None,
            "fps": stats["fps"],
            "dropped": stats["dropped"],
            "now": stats["now"],
        }
