"""Several streams that share a server."""

import json
import os
import time
from pathlib import Path

import pytest

from tests.plugins.browser import assert_accessible, until_true
from tests.plugins.sinks.web.results import result
from tests.plugins.sinks.web.test_browser import PHONE, Run
from vidan.config.build import RunContext
from vidan.errors import ConfigError
from vidan_plugins.sinks.http import metrics
from vidan_plugins.sinks.web import Web, live_stream


def context(name):
    return RunContext("run", 0.0, True, name, Path())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # for the histories


@pytest.fixture
def join(serve, free_port):
    return lambda name, **options: serve(port=free_port, run=context(name), **options)


@pytest.fixture
def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def states(ask, web):
    return {s["name"]: s for s in json.loads(ask(web, "/streams.json").read())}


def test_streams_with_one_address_share_a_server(join, ask):
    door, hall = join("door"), join("hall <b>")
    assert door.server is hall.server
    door.write(result(1, [1, 2]))
    found = states(ask, door)
    assert list(found) == ["door", "hall <b>"]
    assert found["door"]["state"] == "live"
    assert found["door"]["now"] == {"person": 2}
    assert found["hall <b>"]["state"] == "waiting"
    assert b'id="wall"' in ask(door, "/").read()
    assert b'id="image"' in ask(door, "/streams/door/").read()
    assert ask(door, "/streams/door/thumbnail.jpg").read()[:2] == b"\xff\xd8"
    assert ask(door, "/streams/hall%20%3Cb%3E/thumbnail.jpg").status == 503
    assert ask(door, "/streams/cellar/").status == 404
    assert ask(door, "/streams/door/edit").status == 404
    text = ask(door, "/metrics").read().decode()
    assert 'vidan_objects{label="person",stream="door"} 2.0' in text


def test_one_stream_ends_and_the_others_go_on(join, ask):
    door, hall = join("door"), join("hall")
    for each in (door, hall):
        each.write(result(1))
    door.close()
    found = states(ask, hall)
    assert (found["door"]["state"], found["hall"]["state"]) == ("ended", "live")
    hall.close()
    assert not hall.server.running


def test_a_stream_without_images_is_lost(join, ask, monkeypatch):
    door, _ = join("door"), join("hall")
    door.write(result(1))
    monkeypatch.setattr(live_stream, "STALLED_AFTER_S", 0.05)
    time.sleep(0.1)
    assert states(ask, door)["door"]["state"] == "lost"
    assert metrics.STALLED_AFTER_S == 10.0


def test_other_options_at_the_same_address(join):
    join("door")
    with pytest.raises(ConfigError, match="used by another stream with another token"):
        join("hall", max_viewers=2)


def test_without_a_common_port_each_has_its_own(serve):
    first, second = (serve(port=0, run=context(name)) for name in ("door", "hall"))
    assert first.port != second.port


def test_a_thumbnail_is_used_again_for_a_while(join, ask):
    door = join("door")
    door.write(result(1))
    first = ask(door, "/thumbnail.jpg").read()
    door.write(result(200))
    assert ask(door, "/thumbnail.jpg").read() == first
    time.sleep(0.6)
    assert ask(door, "/thumbnail.jpg").read() != first


class TestBrowser:
    @pytest.fixture
    def wall(self, join):
        """Four streams: two that are live, one that waits, one that has ended."""
        runs = [Run(join(name)) for name in ("door", "hall & stairs")]
        join("cellar")
        done = join("yard")
        done.write(result(1))
        done.close()
        yield runs[0].sink.address
        for run in runs:
            run.end()

    def test_tiles_and_one_stream(self, visit, wall):
        from playwright.sync_api import expect

        page = visit(wall, viewport={"width": 1280, "height": 800})
        expect(page.locator("#wall a")).to_have_count(4)
        expect(page.locator("#state")).to_have_text("2 of 4 live")
        tile = page.locator("#wall a", has_text="hall & stairs")
        expect(tile.locator(".state")).to_have_text("live")
        expect(tile).to_contain_text("1 person")
        until_true(page, "document.querySelector('#wall img').naturalWidth > 0")
        expect(page.locator("#wall a", has_text="cellar")).to_contain_text("waiting")
        expect(page.locator("#wall a.ended")).to_contain_text("yard")
        assert_accessible(page)
        if folder := os.environ.get("VIDAN_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / "wall.png")
        tile.click()
        expect(page.locator("#state")).to_have_text("live")
        page.get_by_role("link", name="All streams").click()
        expect(page.locator("#wall a")).to_have_count(4)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_on_a_phone(self, visit, wall, scheme):
        from playwright.sync_api import expect

        page = visit(wall, color_scheme=scheme, **PHONE)
        expect(page.locator("#wall a")).to_have_count(4)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(page)


def test_the_server_is_released_if_a_stream_cannot_be_made(join):
    with pytest.raises(ConfigError):
        join("door", drawing={"color": "no"})
    web = join("door")
    web.close()
    assert not web.server.running
    assert isinstance(web, Web)
