"""The heat map that the analyzer writes, over the live image and on the history page."""

import json
import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.plugins.browser import assert_accessible, until_true
from tests.plugins.sinks.web.results import result
from tests.plugins.sinks.web.test_browser import PHONE
from vidan.config.build import RunContext
from vidan_plugins.sinks.web.heat_map.file import HeatMapFile


def written(path, width=640, height=360, **changes):
    """Arrays as the analyzer writes them: cars on the left, people on the right."""
    presence = np.zeros((2, 36, 64))
    presence[0, 10:20, 4:20] = 40.0
    presence[1:, 10:20, 44:60] = 8.0
    still = cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))[1]
    arrays = {
        "presence": presence,
        "labels": np.array(["car", "person"]),
        "size": np.array([width, height]),
        "seconds": np.array(300.0),
        "still": still,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **(arrays | changes))
    return path


def test_scale_and_overlay_by_label(tmp_path):
    written(tmp_path / "heatmap.npz")
    found = HeatMapFile(tmp_path / "heatmap").read()
    about = found.about(None)
    assert (about["labels"], about["seconds"], about["still"]) == (["car", "person"], 300.0, True)
    assert about["top"] == pytest.approx(40, rel=0.05)
    assert found.about("person")["top"] == pytest.approx(8, rel=0.05)
    assert found.about("nobody")["top"] == 0
    for label, left, right in ((None, 1, 1), ("car", 1, 0), ("person", 0, 1), ("nobody", 0, 0)):
        image = cv2.imdecode(np.frombuffer(found.overlay(label), np.uint8), cv2.IMREAD_UNCHANGED)
        assert image.shape == (180, 320, 4)
        opaque = image[75, [60, 260], 3] > 80
        assert opaque.tolist() == [bool(left), bool(right)]
        assert image[170, 160, 3] == 0


def test_a_file_is_read_again_when_it_has_changed(tmp_path):
    file = HeatMapFile(tmp_path / "heatmap")
    assert (file.exists, file.read()) == (False, None)
    path = written(tmp_path / "heatmap.npz")
    assert file.exists
    first = file.read()
    assert file.read() is first
    written(path, seconds=np.array(310.0))
    os.utime(path, (time.time() + 5, time.time() + 5))
    assert file.read().seconds == 310


def test_the_file_of_an_earlier_run_is_not_shown(tmp_path):
    path = written(tmp_path / "heatmap.npz")
    os.utime(path, (1e9, 1e9))
    file = HeatMapFile(tmp_path / "heatmap", since=2e9)
    assert (file.exists, file.read()) == (False, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"presence": np.zeros(3)},
        {"presence": np.full((2, 4, 4), np.nan)},
        {"size": np.array([0, 0])},
        {"labels": np.array(["one"])},
        {"seconds": np.array(["x"])},
        {"presence": np.array([{}], object)},
    ],
)
def test_a_file_that_is_not_from_the_analyzer(tmp_path, changes):
    written(tmp_path / "heatmap.npz", **changes)
    assert HeatMapFile(tmp_path / "heatmap").read() is None


@pytest.mark.parametrize("content", [b"", b"PK\3\4 not really", b"\x93NUMPY"])
def test_a_file_that_is_broken(tmp_path, content):
    (tmp_path / "heatmap.npz").write_bytes(content)
    assert HeatMapFile(tmp_path / "heatmap").read() is None


# Through the server


@pytest.fixture
def sink(serve, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = serve(
        run=RunContext("run", 0.0, True, "door", tmp_path / "out"),
        heatmap=str(tmp_path / "heatmap"),
    )
    made.write(result(3, [1], width=640, height=360))
    return made


def test_over_http(sink, ask, tmp_path):
    for path in ("/heatmap.json", "/heatmap.png", "/still.jpg"):
        answer = ask(sink, path)
        assert answer.status == 404
        assert b"there is no heat map yet" in answer.read()
    written(tmp_path / "heatmap.npz")
    assert json.load(ask(sink, "/streams/door/heatmap.json?label=person"))["top"] < 10
    assert ask(sink, "/heatmap.png").read()[:4] == b"\x89PNG"
    assert ask(sink, "/still.jpg").read()[:2] == b"\xff\xd8"
    assert json.load(ask(sink, "/history.json"))["heat_map"] is True


def test_without_a_heat_map(web, ask):
    answer = ask(web, "/heatmap.json")
    assert answer.status == 404
    assert b"analytics=[heatmap]" in answer.read()


def test_no_image_of_the_scene(sink, ask, tmp_path):
    written(tmp_path / "heatmap.npz", still=np.zeros(0, np.uint8))
    assert ask(sink, "/still.jpg").status == 404


class TestBrowser:
    @pytest.mark.parametrize(("scheme", "prefix"), [("light", ""), ("dark", "streams/door/")])
    def test_over_the_live_image(self, sink, visit, tmp_path, scheme, prefix):
        from playwright.sync_api import expect

        written(tmp_path / "heatmap.npz")
        address = f"{sink.address}{prefix}"
        page = visit(address, color_scheme=scheme, viewport={"width": 1280, "height": 800})
        button = page.get_by_role("button", name="Heat map")
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#heat")).to_be_hidden()
        button.click()
        expect(page.locator("#heat-legend")).to_contain_text("40 s")
        until_true(page, "at('heat').naturalWidth === 320")
        assert page.locator("#heat").bounding_box() == page.locator("#image").bounding_box()
        assert_accessible(page)
        screenshot(page, f"heat_{scheme}")
        page.reload()
        expect(page.locator("#heat-legend")).to_be_visible()  # the browser remembers it
        written(tmp_path / "heatmap.npz", seconds=np.array(3.0))
        page.evaluate("heat.refresh()")
        expect(page.locator("#heat-legend")).to_contain_text("in 3.0 s")
        page.get_by_role("button", name="Heat map").click()
        expect(page.locator("#heat")).to_be_hidden()
        expect(page.locator("#heat-legend")).to_be_hidden()

    @pytest.mark.parametrize("still", [True, False])
    def test_on_the_history_page_of_a_phone(self, sink, visit, tmp_path, still):
        from playwright.sync_api import expect

        written(tmp_path / "heatmap.npz", **({} if still else {"still": np.zeros(0, np.uint8)}))
        page = visit(f"{sink.address}history", **PHONE)
        expect(page.locator("#heat-legend")).to_contain_text("40 s")
        until_true(page, "at('heat').naturalWidth === 320")
        box = page.locator("#heat").bounding_box()
        assert box["width"] / box["height"] == pytest.approx(16 / 9, rel=0.01)
        if still:
            assert page.get_by_alt_text("The scene").bounding_box() == box
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert_accessible(page)
        screenshot(page, f"heat_history_{still}")

    def test_a_page_without_a_heat_map(self, web, visit):
        from playwright.sync_api import expect

        page = visit(web.address)
        expect(page.get_by_role("button", name="Boxes")).to_be_enabled()
        expect(page.locator("#heat-button")).to_be_hidden()


def screenshot(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
