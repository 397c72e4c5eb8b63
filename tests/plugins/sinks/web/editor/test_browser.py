"""The editor in a real browser. VIDAN_SCREENSHOTS names a folder for screenshots."""

import os
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from tests.plugins.browser import assert_accessible
from tests.plugins.sinks.web.editor.server import TOKEN, editing

expect = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright: pip install vidan[test]"
).expect

TEXT = """\
lines:
  # The front door.
  door: {from: [0.5, 0.25], to: [0.5, 0.75]}
zones:
  till: {polygon: [[64, 36], [192, 36], [192, 180], [64, 180]], loiter: 30}
"""

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}

WIDE = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def open_(path, visit):
    with editing(path) as (url, _):

        def go(**options):
            page = visit(f"{url}?token={TOKEN}", **(WIDE | options))
            expect(page.locator("#shapes button").first).to_be_visible()
            return page

        yield go


def at(page, x, y):
    box = page.locator("#drawing").bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def handle(page, name, number):
    return page.locator(f'circle[aria-label^="{name}, point {number}:"]')


def saved(page, path):
    page.click("#save")
    expect(page.locator("#message")).to_contain_text("Saved")
    return OmegaConf.to_container(OmegaConf.load(path))


def screenshot(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_draw_a_line_with_the_mouse(open_, path):
    page = open_()
    page.click("#tool-line")
    for point in ((0.2, 0.4), (0.8, 0.4)):
        page.mouse.click(*at(page, *point))
    expect(page.locator("#form")).to_be_visible()
    page.keyboard.type("gate")
    page.get_by_label("Counts as in").select_option("left")
    page.get_by_label("vehicle").uncheck()
    screenshot(page, "editor")
    line = saved(page, path)["lines"]["gate"]
    assert line["from"] == pytest.approx([0.2, 0.4], abs=0.005)
    assert line["to"] == pytest.approx([0.8, 0.4], abs=0.005)
    assert (line["in"], line["labels"]) == ("left", ["person"])
    assert "# The front door." in path.read_text()


def test_draw_a_zone_and_drag_it(open_, path):
    page = open_()
    page.click("#tool-zone")
    corners = ((0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9))
    for point in (*corners, corners[0]):
        page.mouse.click(*at(page, *point))
    page.get_by_label("Crowded with more than").fill("5")
    page.get_by_role("button", name="Add an arrow").click()
    page.mouse.move(*at(page, 0.6, 0.6))
    page.mouse.down()
    page.mouse.move(*at(page, 0.55, 0.55))
    page.mouse.up()
    corner = handle(page, "zone1", 3).bounding_box()
    page.mouse.move(corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2)
    page.mouse.down()
    page.mouse.move(*at(page, 0.95, 0.95))
    page.mouse.up()
    zone = saved(page, path)["zones"]["zone1"]
    expected = [[0.45, 0.45], [0.85, 0.45], [0.95, 0.95], [0.45, 0.85]]
    for point, wanted in zip(zone["polygon"], expected, strict=True):
        assert point == pytest.approx(wanted, abs=0.01)
    assert zone["crowd"] == {"more_than": 5, "for": 10}
    assert len(zone["direction"]) == 2


def test_px_stay_px_and_unmoved_points_stay_as_they_are(open_, path):
    page = open_()
    point = handle(page, "till", 1)
    point.focus()
    for key in ("ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    values = saved(page, path)
    assert values["zones"]["till"]["polygon"] == [[65, 46], [192, 36], [192, 180], [64, 180]]
    assert values["lines"] == {"door": {"from": [0.5, 0.25], "to": [0.5, 0.75]}}


def test_with_the_keyboard_alone(open_, path):
    page = open_()
    for _ in range(3):  # from the start of the page to the first tool
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "tool-line":
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+s")
    expect(page.locator("#message")).to_contain_text("Saved")
    line = OmegaConf.to_container(OmegaConf.load(path))["lines"]["keys"]
    assert line["from"] == [0.5, 0.5]
    assert line["to"] == pytest.approx([0.5 + 50 / 640, 0.5], abs=1e-3)


def test_by_touch_on_a_phone(open_, path):
    page = open_(**PHONE)
    page.tap("#tool-zone")
    for point in ((0.3, 0.6), (0.7, 0.6), (0.5, 0.9), (0.3, 0.6)):
        page.touchscreen.tap(*at(page, *point))
    expect(page.locator("#form")).to_be_visible()
    screenshot(page, "editor_phone")
    assert len(saved(page, path)["zones"]["zone1"]["polygon"]) == 3


def test_undo_redo_and_delete(open_, path):
    page = open_()
    page.locator("#shapes button", has_text="door").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator("#shapes button")).to_have_count(1)
    page.click("#undo")
    expect(page.locator("#shapes button")).to_have_count(2)
    expect(page.locator("#save")).to_be_disabled()
    page.keyboard.press("Control+y")
    expect(page.locator("#shapes button")).to_have_count(1)
    assert "lines" not in saved(page, path)


def test_points_of_a_zone_are_added_and_deleted(open_, path):
    page = open_()
    page.locator("#shapes button", has_text="till").click()
    page.locator('circle[aria-label="till: add a point after point 1"]').press("Enter")
    handle(page, "till", 4).press("Delete")
    assert saved(page, path)["zones"]["till"]["polygon"] == [
        [64, 36],
        [128, 36],
        [192, 36],
        [64, 180],
    ]


def test_ground_points_with_meters(open_, path):
    page = open_()
    page.click("#tool-ground")
    for point in ((0.2, 0.9), (0.8, 0.9), (0.6, 0.4), (0.4, 0.4)):
        page.mouse.click(*at(page, *point))
    page.keyboard.press("Enter")
    for number, (x, y) in enumerate(((0, 0), (8, 0), (8, 20), (0, 20)), 1):
        for axis, value in enumerate((x, y)):
            fields = page.get_by_label(f"Point {number}: meters")
            fields.nth(axis).fill(str(value))
            fields.nth(axis).press("Tab")
    ground = saved(page, path)["ground"]
    assert ground["meters"] == [[0, 0], [8, 0], [8, 20], [0, 20]]
    assert len(ground["points"]) == 4


def test_an_invalid_scene_is_explained(open_, path):
    page = open_(allowed=["422"])
    page.locator("#shapes button", has_text="till").click()
    page.get_by_label("Loitering after").fill("person=-3")
    page.get_by_label("Loitering after").press("Tab")
    page.click("#save")
    expect(page.locator("#message")).to_contain_text("Not saved: scene.zones.till.loiter")
    assert path.read_text() == TEXT


def test_two_editors_lose_nothing(open_, path):
    first, second = open_(), open_(allowed=["409"])
    first.locator("#shapes button", has_text="door").click()
    first.get_by_label("Name").fill("entrance")
    first.get_by_label("Name").press("Tab")
    saved(first, path)
    second.locator("#shapes button", has_text="till").click()
    second.get_by_label("Name").fill("counter")
    second.get_by_label("Name").press("Tab")
    second.click("#save")
    expect(second.locator("#conflict")).to_be_visible()
    assert_accessible(second)
    second.get_by_role("button", name="Load theirs").click()
    expect(second.locator("#shapes")).to_contain_text("entrance")
    second.click("#undo")
    expect(second.locator("#shapes")).to_contain_text("counter")
    assert "counter" in saved(second, path)["zones"]


def test_markup_in_names_is_text(open_, path):
    page = open_()
    page.locator("#shapes button", has_text="door").click()
    page.get_by_label("Name").fill("<img src=x onerror=alert(1)>")
    page.get_by_label("Name").press("Tab")
    expect(page.locator("#shapes")).to_contain_text("<img src=x")
    saved(page, path)
    page.reload()
    expect(page.locator("#shapes")).to_contain_text("<img src=x")
    assert page.locator("img[src='x']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["wide", "phone"])
def test_accessible(open_, scheme, screen):
    screens = {"phone": PHONE, "wide": WIDE}
    page = open_(color_scheme=scheme, reduced_motion="reduce", **screens[screen])
    assert_accessible(page)
    page.locator("#shapes button", has_text="till").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    screenshot(page, f"editor_{screen}_{scheme}")
