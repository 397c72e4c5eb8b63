"""`sink=prometheus`, read over HTTP."""

import socket
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra prometheus")

from tests.plugins.sinks.web.results import result
from vidan.config.build import build
from vidan.errors import ConfigError, SinkError
from vidan_plugins.sinks.events.prometheus import Prometheus

TOKEN = "0123456789abcdef"


@pytest.fixture
def serve():
    with ExitStack() as opened:

        def make(**options):
            sink = Prometheus(**({"port": 0} | options))
            opened.callback(sink.close)
            return sink

        yield make


def read(sink, token=None, **headers):
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(sink.address, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def refused(sink, **headers):
    with pytest.raises(urllib.error.HTTPError) as error:
        read(sink, **headers)
    error.value.close()
    return error.value.code


def test_sinks_of_several_streams_share_a_server_until_the_last_is_closed(serve):
    first = serve()
    second = serve(port=first.port)
    for sink, stream in ((first, "door"), (second, "yard")):
        found = result(0)
        found.frame.stream = stream
        sink.write(found)
    first.close()
    first.close()
    text = read(second)
    assert 'vidan_stream_up{stream="door"} 0.0' in text
    assert 'vidan_stream_up{stream="yard"} 1.0' in text
    assert text.count("# TYPE vidan_stream_up") == 1
    second.close()
    with pytest.raises(urllib.error.URLError):
        read(second)
    third = serve(port=first.port)
    assert read(third) == ""


def test_streams_with_one_port_need_the_same_token(serve):
    first = serve(token=TOKEN)
    with pytest.raises(ConfigError, match="used by another stream with another token") as error:
        serve(port=first.port)
    assert TOKEN not in str(error.value)


def test_the_token_is_required(serve):
    sink = serve(token=TOKEN)
    sink.write(result(0))
    assert refused(sink) == 401
    assert refused(sink, token="wrong") == 401
    assert "vidan_stream_up" in read(sink, TOKEN)


def test_other_sites_and_host_names_are_refused(serve):
    sink = serve()
    assert refused(sink, Host="attacker.example") == 403
    assert refused(sink, Origin="https://attacker.example") == 403


def test_a_port_in_use_or_a_wrong_host_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SinkError, match=rf"port {port}: .* set another port"):
            Prometheus(port=port)
    for host in ("192.0.2.1", "no.such.host.invalid", "a..b"):
        with pytest.raises(SinkError, match="set host to an address of this computer") as error:
            Prometheus(host=host, port=0, token=TOKEN)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("bad", [{"host": "0.0.0.0"}, {"port": -1}, {"token": "short"}])
def test_invalid_options_are_refused(bad):
    with pytest.raises(ConfigError, match=r"^sink\.prometheus\."):
        build("sink", {"name": "prometheus", "port": 0} | bad, "sink.prometheus")
