"""A real HTTP server that fails as it is told."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    path: str
    headers: dict
    body: bytes
    connection: int

    @property
    def json(self):
        return json.loads(self.body)


class HttpServer:
    """Answers each request with the next of `answers`, and with 204 after the last one.

    An answer is a status, a status with headers, `hang` (for a moment), `disconnect`, `close` (204,
    and the connection ends) or `nonsense`. A function of the request returns one of these.
    """

    def __init__(self, port=0, tls=None):
        self.answers, self.requests, self.always = [], [], 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(self.path, dict(self.headers), body, id(self.connection))
                outer.requests.append(request)
                answer = outer.answers.pop(0) if outer.answers else outer.always
                self.answer(answer(request) if callable(answer) else answer)

            def answer(self, answer):
                if answer == "hang":
                    time.sleep(0.5)
                if answer == "nonsense":
                    self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                if answer in ("hang", "disconnect", "nonsense"):
                    self.close_connection = True
                    return
                self.close_connection = answer == "close"
                status, headers = (answer, {}) if isinstance(answer, int) else (204, {})
                if isinstance(answer, tuple):
                    status, headers = answer
                self.send_response(status)
                for header in ({"Content-Length": "0"} | headers).items():
                    self.send_header(*header)
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # clients that leave are part of the tests

        self._server = Server(("127.0.0.1", port), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'http' if tls is None else 'https'}://localhost:{self.port}/in"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def wait(self, count, seconds=10.0):
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            assert time.monotonic() < end, self.requests
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.block_on_close = False
        self._server.server_close()
