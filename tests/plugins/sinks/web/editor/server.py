"""The editor with a still image, for tests."""

import contextlib

import cv2
import numpy as np

from vidan.images import jpeg
from vidan.scene import SceneContext
from vidan_plugins.formats.scene_file import load_scene
from vidan_plugins.sinks.http.endpoint import listen
from vidan_plugins.sinks.http.server import HttpServer
from vidan_plugins.sinks.web.editor.routes import EditorRoutes
from vidan_plugins.sinks.web.editor.scene_file import SceneFile

TOKEN = "a-token-of-enough-characters"


class Still:
    labels = ("person", "vehicle")
    size = (640, 360)

    def __init__(self):
        self.advanced = 0

    def jpeg(self):
        image = np.full((360, 640, 3), 90, np.uint8)
        cv2.rectangle(image, (200, 100), (300, 250), (200, 120, 40), -1)
        return jpeg(image)

    def advance(self):
        self.advanced += 1
        return self.advanced < 2


@contextlib.contextmanager
def editing(path, *, live=False, token=TOKEN, apply=lambda _: None):
    """Serve the editor; yields the URL without the token, and the camera."""
    camera = Still()

    def check(values):
        load_scene(SceneContext(values, camera.labels, camera.size))

    routes = EditorRoutes(SceneFile(path, check), camera, apply, live=live)
    endpoint = listen("127.0.0.1", 0, token, None, None)
    server = HttpServer(
        endpoint,
        routes.add_to,
        name="vidan-test",
        max_connections=16,
        timeout=10,
    )
    try:
        yield endpoint.url, camera
    finally:
        server.close()
        assert server.error is None
