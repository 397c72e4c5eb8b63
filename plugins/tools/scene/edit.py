"""Runs the scene editor until Ctrl-C."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from vidan import options
from vidan.config.build import BuildContext, build
from vidan.config.check import checked
from vidan.config.compose import compose
from vidan.errors import ConfigError
from vidan.scene import SceneContext

from ...formats.scene_file import load_scene
from ...sinks.web.editor.routes import EditorRoutes
from ...sinks.web.editor.scene_file import SceneFile
from ..serving import ServerSettings, serve
from .camera import SourceCamera

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(ServerSettings):
    """Keys of `conf/edit_scene.yaml`; see there."""

    labels: list[str] | None


def run(arguments: Sequence[str]) -> int:
    """Serve the editor for the scene file and the source that the overrides name."""
    config = compose(arguments, "edit_scene")
    values: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    settings = checked(Settings, values)
    path = values["scene"].get("path")
    if path is None:
        raise ConfigError("scene is missing: set scene=<file>, such as scene=street.yaml")
    labels = tuple(settings.labels or ())
    source = build("source", values["source"], context=BuildContext())
    with closing(SourceCamera(source, labels)) as camera:

        def check(scene: Mapping[str, Any]) -> None:
            load_scene(SceneContext(scene, labels, camera.size))

        file = SceneFile(options.path("scene.path", path), check)
        file.read()
        routes = EditorRoutes(file, camera, live=False)

        def check_source() -> None:
            if camera.error is not None and camera.size is None:
                raise camera.error

        serve(settings, routes.add_to, "draw at", check_source)
        log.info("%s is saved as it was last", file.path.name)
    return 0
