"""Who can change a scene through the network, and to what."""

import http.client
import json
import urllib.parse

import pytest
from omegaconf import OmegaConf

from tests.plugins.sinks.web.editor.server import TOKEN, editing

LINE = {"door": {"from": [0.5, 0.3], "to": [0.5, 0.9]}}
TEXT = "lines: {door: {from: [0.1, 0.3], to: [0.5, 0.9]}}\n"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def request_(path):
    with editing(path) as (url, _):
        host = urllib.parse.urlsplit(url).netloc

        def send(method, target, body=None, **headers):
            connection = http.client.HTTPConnection(host, timeout=10)
            given = {"Authorization": f"Bearer {TOKEN}"} | headers
            given = {key.replace("_", "-"): value for key, value in given.items() if value}
            connection.request(method, target, body, given)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            return answer.status, content

        yield send


@pytest.fixture
def put(request_):
    def send(body, version=None, **headers):
        if version is None:
            version = json.loads(request_("GET", "/scene.json")[1])["version"]
        given = {"Content_Type": "application/json", "If_Match": f'"{version}"'} | headers
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return request_("PUT", "/scene.json", body, **given)

    return send


def test_a_scene_is_read_and_replaced(request_, put, path):
    status, body = request_("GET", "/scene.json")
    got = json.loads(body)
    assert status == 200
    assert got["scene"] == OmegaConf.to_container(OmegaConf.load(path))
    assert (got["file"], got["labels"], got["size"], got["live"]) == (
        "shop.yaml",
        ["person", "vehicle"],
        [640, 360],
        False,
    )
    status, body = put({"lines": LINE})
    assert status == 200
    assert OmegaConf.load(path) == {"lines": LINE}
    assert json.loads(request_("GET", "/scene.json")[1])["version"] == json.loads(body)["version"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_the_token(request_, put, path, method):
    if method == "PUT":
        assert put({"lines": {}}, Authorization=None, version="x")[0] == 401
    else:
        assert request_("GET", "/scene.json", Authorization=None)[0] == 401
    assert path.read_text() == TEXT


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "navigate"},
    ],
)
def test_other_origins(put, path, headers):
    assert put({"lines": {}}, **headers)[0] == 403
    assert path.read_text() == TEXT


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_requests_that_a_form_can_send(put, path, kind):
    assert put({"lines": {}}, Content_Type=kind)[0] == 415
    assert path.read_text() == TEXT


def test_the_version_is_required(put, path):
    assert put({"lines": {}}, If_Match=None)[0] == 428
    assert path.read_text() == TEXT


def test_two_editors(put, request_, path):
    version = json.loads(request_("GET", "/scene.json")[1])["version"]
    assert put({"lines": LINE}, version)[0] == 200
    status, body = put({"lines": {}}, version)
    assert status == 409
    assert "somebody else" in json.loads(body)["error"]
    assert OmegaConf.load(path) == {"lines": LINE}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 200_000, 400),
        (b'{"lines": NaN}', 400),
        (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400),
        (b" " * 300_000, 413),
        (b'{"lines": {"a": {"from": [1e999, 0], "to": [0, 0]}}}', 400),
        (b'{"lines": {"a": {"from": [-1, 0], "to": [0, 0]}}}', 422),
        (b'{"lines": {"a": {"from": [9000, 0], "to": [0, 0]}}}', 422),
        (b'{"lines": {"a": {"from": "x", "to": [0, 0]}}}', 422),
        (b'{"lines": {"a": null}}', 422),
        (b'{"zones": {"a": {"polygon": {}}}}', 422),
        (b'{"ground": 7}', 422),
        (b'{"ground": []}', 200),  # nothing
        (b'{"path": "/etc/passwd", "size": "x"}', 200),  # keys that the editor does not change
    ],
)
def test_malformed_and_oversized_scenes(put, path, body, status):
    got, content = put(body)
    assert got == status, content
    if status == 200:
        assert not OmegaConf.load(path)
    else:
        assert "\n" not in json.loads(content)["error"]
        assert path.read_text() == TEXT


@pytest.mark.parametrize(
    "target",
    ["/scene.json/../x", "/..%2fshop.yaml", "/scene.json%00", "/shop.yaml", "/editor/routes.py"],
)
def test_no_other_file_is_read_or_written(request_, target):
    for method in ("GET", "PUT"):
        assert request_(method, target)[0] in (400, 404, 405)


def test_names_with_markup_come_back_as_they_are(put, request_):
    name = "<img src=x onerror=alert(1)>"
    assert put({"lines": {name: LINE["door"]}})[0] == 200
    assert name in json.loads(request_("GET", "/scene.json")[1])["scene"]["lines"]


def test_images(request_):
    status, body = request_("GET", "/frame.jpg")
    assert (status, body[:2]) == (200, b"\xff\xd8")
    assert json.loads(request_("POST", "/frame/next")[1]) == {"moved": True}
    assert json.loads(request_("POST", "/frame/next")[1]) == {"moved": False}
