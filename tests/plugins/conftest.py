"""A local server for downloads, and a catalog of the test's own."""

import contextlib
import hashlib
import http.server
import threading

import pytest

from tests.plugins.browser import chromium, visit
from vidan_plugins.models import catalog
from vidan_plugins.models.download import Checksum

__all__ = ["chromium", "visit"]

CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one file according to the settings of its server."""

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if self.path not in ("/model.onnx", "/model.xml", "/model.bin"):
            self.send_error(404)
            return
        if wanted and not server.ranges:
            start = 0
        if start >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if server.tells_length:
            self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        end = len(server.content) if server.breaks_after is None else server.breaks_after
        with contextlib.suppress(ConnectionError):  # the client may have read enough
            self.wfile.write(server.content[start:end])
        server.breaks_after = None

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    """A local server with `content`; `asked` lists the ranges that were requested."""
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.asked = CONTENT, []
        server.ranges, server.breaks_after, server.tells_length = True, None, True
        server.url = f"http://127.0.0.1:{server.server_port}/model.onnx"
        server.sha256 = hashlib.sha256(CONTENT).hexdigest()
        server.checksum = Checksum("sha256", server.sha256)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Writes the user's catalog; the cache is a temporary folder."""
    monkeypatch.setattr(catalog, "user_file", lambda: tmp_path / "models.yaml")
    monkeypatch.setattr(catalog, "cache_folder", lambda: tmp_path / "cache" / "models")

    def write(text):
        (tmp_path / "models.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "cache" / "models"

    return write
