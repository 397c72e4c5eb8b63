"""Who has access, and to what."""

import http.client
import os
import socket
import ssl
import subprocess
import time

import pytest
import yaml

from vidan.config.build import build
from vidan.errors import ConfigError, SinkError
from vidan_plugins.sinks.http import access
from vidan_plugins.sinks.web import Web

TOKEN = "a-token-of-enough-characters"

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    "path", ["/", "/page.css", "/page.js", "/icon.svg", "/healthz", "/metrics", "/nothing"]
)
def test_all_responses_have_security_headers(web, ask, path):
    answer = ask(web, path)
    assert answer.status == (404 if path == "/nothing" else 200)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    ["/sink.py", "/../sink.py", "/%2e%2e/sink.py", "/..%2fsink.py", "//etc/passwd", "/etc/passwd"],
)
def test_no_other_file_can_be_read(web, ask, path):
    assert ask(web, path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_is_allowed(web, ask, method):
    assert ask(web, "/", method=method).status == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_names_rebound_to_this_computer_are_refused(web, ask, host):
    assert ask(web, "/", {"Host": host}).status in (400, 403)


@pytest.mark.parametrize(
    "host",
    [
        "[",
        "localhost:x",
        "localhost:99999",
        "a:b:c",
        "local host",
        "\xff",
        "//",
        "[localhost",
        "evil@localhost",
    ],
)
@pytest.mark.parametrize("path", ["/", "/metrics", "/view"])
def test_a_malformed_host_is_refused(web, host, path):
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1"))
        assert connection.recv(1000).split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "host", ["localhost:8000", "LocalHost", "127.0.0.1", "127.0.0.9:1", "[::1]:8000", "[::1]"]
)
def test_names_of_this_computer_are_accepted(web, ask, host):
    assert ask(web, "/", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://[::1]@", "[", ""]
)
def test_pages_of_other_origins_cannot_open_the_web_socket(web, ask, origin):
    assert ask(web, "/view", UPGRADE | {"Origin": origin}).status == 403


def test_the_page_itself_can_open_the_web_socket(web, ask):
    answer = ask(web, "/view", UPGRADE | {"Origin": f"http://127.0.0.1:{web.port}"})
    assert answer.status == 101


@pytest.mark.parametrize(
    ("path", "site", "mode", "status"),
    [
        ("/snapshot.jpg", "cross-site", "no-cors", 403),  # an <img> of another page
        ("/stream.mjpg", "same-site", "no-cors", 403),  # another port of this computer
        ("/metrics", "cross-site", "navigate", 403),
        ("/", "cross-site", "navigate", 200),  # a link
        ("/page.js", "same-origin", "no-cors", 200),
        ("/metrics", "none", "navigate", 200),  # typed into the address bar
    ],
)
def test_other_sites_can_only_link_to_the_page(web, ask, path, site, mode, status):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert ask(web, path, headers).status == status


def test_the_token_is_required_and_becomes_a_cookie(serve, ask):
    sink = serve(token=TOKEN)
    for path in ("/", "/page.js", "/view", "/stream.mjpg", "/snapshot.jpg", "/metrics", "/no"):
        assert ask(sink, path).status == 401
        assert ask(sink, path + "?token=wrong").status == 401
    assert ask(sink, "/healthz").status == 200
    assert ask(sink, "/metrics", {"Authorization": f"Bearer {TOKEN}"}).status == 200
    assert ask(sink, f"/metrics?token={TOKEN}").status == 200
    answer = ask(sink, f"/?token={TOKEN}")
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status, answer.headers["Location"]) == (303, "./")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    assert cookie.startswith(f"vidan_{sink.port}=")  # runs on other ports have cookies of their own
    assert ask(sink, "/", {"Cookie": cookie.split(";")[0]}).status == 200
    assert ask(sink, "/", {"Cookie": cookie.split(";")[0][:-1]}).status == 401


def test_with_a_token_any_host_name_is_accepted(serve, ask):
    answer = ask(serve(token=TOKEN), f"/metrics?token={TOKEN}", {"Host": "cams.example"})
    assert answer.status == 200


def test_secrets_are_compared_in_constant_time(serve, ask, monkeypatch):
    compared = []

    def compare(given, expected):
        compared.append((given, expected))
        return False

    monkeypatch.setattr(access.hmac, "compare_digest", compare)
    sink = serve(token=TOKEN)
    headers = {"Authorization": "Bearer b", "Cookie": f"vidan_{sink.port}=c"}
    assert ask(sink, "/?token=a", headers).status == 401
    assert [given for given, _ in compared] == [b"a", b"b", b"c"]


@pytest.mark.parametrize("token", ["%ff%00", "%c3%a9", "%", "a" * 4000])
def test_a_malformed_token_is_refused_without_an_error(serve, ask, token):
    assert ask(serve(token=TOKEN), f"/?token={token}").status == 401


@pytest.mark.parametrize(
    "bad",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "192.168.1.5"},
        {"host": "camera.example"},
        {"host": ""},
        {"token": "short"},
        {"token": 1234567890123456},
        {"port": -1},
        {"port": 65536},
        {"certificate": "x.pem"},
        {"key": "x.pem"},
        {"certificate": "x.pem", "key": "y.pem"},
        {"certificate": 5, "key": 6},
        {"max_viewers": 0},
        {"timeout": 0},
    ],
)
def test_invalid_options_are_refused(bad):
    with pytest.raises(ConfigError, match=r"^sink\.web\.") as raised:
        build("sink", {"name": "web", "port": 0} | bad, "sink.web")
    assert "\n" not in str(raised.value)


def test_a_host_reachable_from_other_computers_needs_a_token_and_should_use_tls(serve, caplog):
    with pytest.raises(ConfigError, match=r"host='0\.0\.0\.0'.* set token .* certificate"):
        Web(host="0.0.0.0", port=0)
    serve(host="0.0.0.0", token=TOKEN)
    assert "not encrypted" in caplog.text
    assert TOKEN not in caplog.text


def test_a_port_in_use_is_an_error_that_suggests_another():
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(SinkError, match="set another port"),
    ):
        Web(port=taken.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key, created for this test."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl to create a certificate")
    return folder / "cert.pem", folder / "key.pem"


def secure(sink, certificate):
    context = ssl.create_default_context(cafile=certificate)
    return http.client.HTTPSConnection("localhost", sink.port, timeout=10, context=context)


def test_the_page_is_served_with_tls(serve, certificate):
    cert, key = map(str, certificate)
    sink = serve(host="0.0.0.0", token=TOKEN, certificate=cert, key=key)
    assert sink.address.startswith("https://")
    connection = secure(sink, cert)
    connection.request("GET", f"/?token={TOKEN}")
    answer = connection.getresponse()
    assert answer.status == 303
    assert "Secure" in answer.headers["Set-Cookie"]
    connection.close()


def test_clients_without_tls_or_without_a_request_affect_no_others(serve, certificate, caplog):
    cert, key = map(str, certificate)
    sink = serve(certificate=cert, key=key, timeout=0.3)
    with socket.create_connection(("127.0.0.1", sink.port)) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(100)[:4] != b"HTTP"
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as silent:
        began = time.monotonic()
        assert silent.recv(100) == b""  # disconnected
        assert time.monotonic() - began < 5
    connection = secure(sink, cert)
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    connection.close()
    assert not [r for r in caplog.records if r.exc_info]


def test_a_key_with_a_password_is_an_error_and_no_prompt(certificate, tmp_path):
    cert, key = map(str, certificate)
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", key, "-out", locked],
        check=True,
        capture_output=True,
        env=os.environ,
    )
    with pytest.raises(ConfigError, match=r"certificate=.* the key without a password"):
        Web(port=0, certificate=cert, key=str(locked))


@pytest.mark.parametrize("token", ["1234567890123456", "1.5e+30", "[1234567890123456]", "true"])
def test_a_token_that_is_not_text_is_not_shown(token):
    with pytest.raises(ConfigError) as raised:
        build("sink", {"name": "web", "port": 0, "token": yaml.safe_load(token)})
    assert "token: expected text: put it in quotes" in str(raised.value)
    assert token.strip("[]") not in str(raised.value)


@pytest.mark.parametrize("token", [" " * 16, "a" * 15 + " ", "a" * 16 + "\n", "ä" * 16])
def test_a_token_of_spaces_is_refused(token):
    with pytest.raises(ConfigError, match="at least 16 ASCII characters without spaces"):
        build("sink", {"name": "web", "port": 0, "token": token})
