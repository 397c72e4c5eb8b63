"""Runs the scene editor until Ctrl-C."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta
from omegaconf import OmegaConf

from vidan import options
from vidan.cli.terminal import console
from vidan.config.build import BuildContext, build
from vidan.config.check import checked
from vidan.config.compose import compose
from vidan.errors import ConfigError
from vidan.options import SECRET
from vidan.scene import SceneContext

from ...formats.scene_file import load_scene
from ...sinks.http.endpoint import listen
from ...sinks.http.server import HttpServer
from ...sinks.web.editor.routes import EditorRoutes
from ...sinks.web.editor.scene_file import SceneFile
from .camera import SourceCamera

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 32
TIMEOUT_S = 20.0
"""After which a client that does not read or request is disconnected."""

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Settings:
    """Keys of `conf/edit_scene.yaml`; see there."""

    labels: list[str] | None
    host: str
    port: Annotated[int, Meta(ge=0, le=65535)]
    token: Annotated[str, SECRET] | None
    certificate: str | None
    key: str | None


def run(arguments: Sequence[str]) -> int:
    """Serve the editor for the scene file and the source that the overrides name."""
    config = compose(arguments, "edit_scene")
    values: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    settings = checked(Settings, values)
    path = values["scene"].get("path")
    if path is None:
        raise ConfigError("scene is missing: set scene=<file>, such as scene=street.yaml")
    labels = tuple(settings.labels or ())
    token = settings.token or secrets.token_urlsafe(24)
    source = build("source", values["source"], context=BuildContext())
    with closing(SourceCamera(source, labels)) as camera:

        def check(scene: Mapping[str, Any]) -> None:
            load_scene(SceneContext(scene, labels, camera.size))

        file = SceneFile(options.path("scene.path", path), check)
        file.read()
        routes = EditorRoutes(file, camera, live=False)
        endpoint = listen(settings.host, settings.port, token, settings.certificate, settings.key)
        server = HttpServer(
            endpoint,
            routes.add_to,
            name="vidan-scene-web",
            max_connections=MAX_CONNECTIONS,
            timeout=TIMEOUT_S,
        )
        try:
            console().print(
                f"draw at {endpoint.url}?token={token}", soft_wrap=True, markup=False, style=None
            )
            while server.running:
                time.sleep(POLL_S)
                if camera.error is not None and camera.size is None:
                    raise camera.error
        except KeyboardInterrupt:
            log.info("%s is saved as it was last", file.path.name)
        finally:
            server.close()
        if server.error is not None:
            raise server.error
    return 0
