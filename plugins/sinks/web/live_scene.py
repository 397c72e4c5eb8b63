"""The scene of a run, as the editor of the page sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vidan import options
from vidan.errors import ConfigError
from vidan.images import jpeg
from vidan.scene import SceneContext
from vidan.types import Result

from ...formats.scene_file import load_scene, with_overrides
from .editor.scene_file import SceneFile

QUALITY = 85
"""Of JPEG images without drawings."""


class LiveScene:
    """Checks what is drawn, and applies it to the run; provides images without drawings.

    Args:
        scene: of the run.

    Attributes:
        file: that is edited.
        newest: the newest result; None before the first.

    Raises:
        ConfigError: the scene of the run is not a file.
    """

    def __init__(self, scene: SceneContext | None) -> None:
        self._scene = scene or SceneContext({})
        path = self._scene.values.get("path")
        if path is None:
            raise ConfigError("sink.web.edit=true: nothing to edit: set scene=<file>")
        self.file = SceneFile(options.path("scene.path", path), self._check)
        self.newest: Result | None = None
        self._change: Callable[[SceneContext], None] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of the model; () if they are not known."""
        return self._scene.labels

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the images, px; None before the first."""
        newest = self.newest
        return None if newest is None else (newest.frame.width, newest.frame.height)

    def jpeg(self) -> bytes | None:
        """The newest image; None before the first."""
        newest = self.newest
        return None if newest is None else jpeg(newest.frame.rgb(), QUALITY)

    def advance(self) -> bool:
        """False: a run goes on by itself."""
        return False

    def bind(self, change: Callable[[SceneContext], None]) -> None:
        """Take what applies a scene to the run."""
        self._change = change

    def apply(self, values: Mapping[str, Any]) -> None:
        """Let the run use the new values of the file."""
        scene = self._context(values)
        load_scene(scene)  # so that the analyzers do not have to
        if self._change is not None:
            self._change(scene)

    def _check(self, values: Mapping[str, Any]) -> None:
        load_scene(self._context(values))

    def _context(self, values: Mapping[str, Any]) -> SceneContext:
        """What analyzers are given: the values of the file, and what is set beside its path."""
        return SceneContext(
            with_overrides(values, self._scene.values), self._scene.labels, self.size
        )
