"""`sink=web` behind nginx, under a prefix, with the configuration of docs/live.md."""

import asyncio
import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import textwrap
import time
from pathlib import Path

import aiohttp
import cv2
import numpy as np
import pytest
from omegaconf import OmegaConf

from tests.docs.pages import ROOT
from tests.plugins.browser import until, until_true
from tests.plugins.sinks.web.history.test_history import crossing
from tests.plugins.sinks.web.results import result
from vidan.config.build import RunContext
from vidan.scene import SceneContext

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
TOKEN = "a-token-of-24-characters"
PREFIX = "/camera/"
SERVER = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx: apt install nginx-light")


def documented(upstream):
    """The block in the documentation, for a sink at a port."""
    text = (ROOT / "docs/live.md").read_text(encoding="utf-8")
    block = textwrap.dedent(re.search(r"```nginx\n(.*?)```", text, re.DOTALL)[1])
    assert f"location {PREFIX}" in block
    assert block.count(":8000/") == 1
    return block.replace(":8000/", f":{upstream}/")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def behind(tmp_path):
    """Starts nginx before a port of this computer; gives the port of nginx."""
    with contextlib.ExitStack() as open_:

        def start(upstream):
            port = free_port()
            user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
            file = tmp_path / "nginx.conf"
            file.write_text(
                SERVER.format(folder=tmp_path, port=port, user=user, location=documented(upstream))
            )
            process = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(file)])
            open_.callback(process.wait, 20)
            open_.callback(process.terminate)
            end = time.monotonic() + 20
            while not answers(port):
                assert process.poll() is None, (tmp_path / "error.log").read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
            return port

        yield start


@pytest.fixture
def proxied(serve, behind):
    """A sink, and the port of nginx before it."""
    sink = serve(token=TOKEN)
    return sink, behind(sink.port)


def answers(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def get(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def login(port):
    """The cookie of a session."""
    status, headers, _ = get(port, f"{PREFIX}?token={TOKEN}")
    assert (status, headers["Location"]) == (303, "./")  # relative: stays under the prefix
    return headers["Set-Cookie"].partition(";")[0]


def test_the_page_and_its_files_are_below_the_prefix(proxied):
    _, port = proxied
    assert get(port, PREFIX)[0] == 401
    cookie = login(port)
    status, _, page = get(port, PREFIX, Cookie=cookie)
    assert status == 200
    links = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page)
    assert len(links) > 4
    for link in links:
        assert not link.startswith(("/", "http")), link
        assert get(port, PREFIX + link, Cookie=cookie)[0] == 200, link
    assert get(port, "/", Cookie=cookie)[0] != 401  # of nginx itself: the sink is not there
    assert "vidan" in get(port, f"{PREFIX}metrics", Cookie=cookie)[2]


@pytest.mark.parametrize("origin", [None, "same", "http://elsewhere.example"])
def test_images_come_through_the_web_socket(proxied, origin):
    sink, port = proxied
    sink.write(result(77))
    given = {"Cookie": login(port)}
    if origin is not None:
        given["Origin"] = f"http://127.0.0.1:{port}" if origin == "same" else origin

    async def first_image():
        async with (
            aiohttp.ClientSession(headers=given) as session,
            session.ws_connect(f"ws://127.0.0.1:{port}{PREFIX}view") as view,
        ):
            await view.send_str("next")
            async for message in view:
                if message.type is aiohttp.WSMsgType.BINARY:
                    return message.data
        raise AssertionError("closed without an image")

    if origin == "http://elsewhere.example":
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            asyncio.run(asyncio.wait_for(first_image(), 20))
        assert refused.value.status == 403
        return
    jpeg = asyncio.run(asyncio.wait_for(first_image(), 20))
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image.mean() == pytest.approx(77, abs=2)


@pytest.fixture
def follow(visit):
    """Opens the page behind nginx; at the end, no request may have left the prefix."""
    paths = []

    def go(port):
        page = visit(f"http://127.0.0.1:{port}{PREFIX}?token={TOKEN}")
        page.on("request", lambda request: paths.append(request.url.split(str(port), 1)[1]))
        page.on("websocket", lambda view: paths.append(view.url.split(str(port), 1)[1]))
        page.reload()
        assert page.url == f"http://127.0.0.1:{port}{PREFIX}"
        return page, paths

    yield go
    assert [path for path in paths if not path.startswith(PREFIX)] == []


def test_a_browser_stays_below_the_prefix(proxied, follow):
    sink, port = proxied
    sink.write(result(90, [1]))
    page, paths = follow(port)
    until_true(page, "document.getElementById('image').clientWidth > 0")
    until(page, lambda: f"{PREFIX}view" in paths)


@pytest.fixture
def streams(serve, tmp_path):
    """Starts sinks with a history, a heat map and an editor that share a server, by stream."""
    port = free_port()

    def start(name):
        file = tmp_path / f"{name}.yaml"
        file.write_text("lines: {door: {from: [0.5, 0.2], to: [0.5, 0.8]}}\n")
        sink = serve(
            port=port,
            token=TOKEN,
            edit=True,
            history=str(tmp_path / f"{name}.sqlite"),
            scene=SceneContext({"path": str(file)}),
            run=RunContext("run", time.time(), True, name, tmp_path),
        )
        sink.emit([crossing(1, 9.0, stream=name)])
        sink.write(result(90, [1]))
        time.sleep(1.1)
        sink.write(result(101, [1]))  # commits the event to the history
        return file

    return port, start


def test_history_and_editor_are_reached_below_the_prefix(streams, behind, follow):
    upstream, start = streams
    file = start("door")
    page, _ = follow(behind(upstream))
    visit_all_pages(page, file)


def test_the_wall_and_its_streams_are_reached_below_the_prefix(streams, behind, follow):
    upstream, start = streams
    files = {name: start(name) for name in ("door", "hall & stairs")}
    page, paths = follow(behind(upstream))
    for name, file in files.items():
        tile = page.locator("#wall a", has_text=name)
        tile.locator("img").wait_for()
        until_true(page, "document.querySelector('#wall img').naturalWidth > 0")
        tile.click()
        visit_all_pages(page, file)
        page.get_by_role("link", name="All streams").click()
    assert f"{PREFIX}streams/hall%20%26%20stairs/view" in paths


def visit_all_pages(page, file):
    """Follow the links of a stream's page to its history and its editor, and back."""
    home = page.url
    page.get_by_role("link", name="History").click()
    page.locator("#list li").wait_for()
    until_true(page, "document.querySelector('#list img').naturalWidth > 0")
    with page.expect_download() as table:
        page.locator("#csv").click()
    assert "door" in Path(table.value.path()).read_text()
    page.locator("#back").click()
    until(page, lambda: page.url == home)
    page.get_by_role("link", name="Edit").click()
    page.locator("#shapes button").first.click()
    page.locator('circle[aria-label^="door, point 1:"]').press("ArrowDown")
    page.click("#save")
    until_true(page, "document.getElementById('message').textContent.includes('Saved')")
    assert OmegaConf.load(file).lines.door["from"][1] > 0.2
    page.locator("#back").click()
    until(page, lambda: page.url == home)
