import contextlib
import gc
import http.client

import pytest

from vidan_plugins.sinks.web import Web


@pytest.fixture
def serve(caplog):
    """Makes sinks, and closes them at the end; they must leave no unfinished tasks behind."""
    with contextlib.ExitStack() as open_:

        def make(**options):
            sink = Web(**({"port": 0} | options))
            open_.callback(sink.close)
            return sink

        yield make
    gc.collect()
    assert not [r.getMessage() for r in caplog.records if r.name.startswith(("asyncio", "aiohttp"))]


@pytest.fixture
def web(serve):
    return serve()


@pytest.fixture
def ask():
    """Requests a path from a sink; the body of the response is not read yet."""
    with contextlib.ExitStack() as open_:

        def get(sink, path, headers=None, method="GET"):
            connection = http.client.HTTPConnection("127.0.0.1", sink.port, timeout=10)
            open_.callback(connection.close)
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            open_.callback(answer.close)
            return answer

        yield get
