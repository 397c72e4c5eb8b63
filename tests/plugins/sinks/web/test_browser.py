"""The page in a real browser: Chromium of the system, driven by Playwright.

Playwright waits for conditions instead of sleeping, emulates light and dark mode and the screens
of phones, and uses the Chromium that is installed: its wheel contains the driver, and no browser
is downloaded. If VIDAN_SCREENSHOTS names a folder, screenshots of the page are saved there.
"""

import os
import re
import socket
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.plugins.browser import assert_accessible, until, until_true
from tests.plugins.sinks.web.results import Still, result
from vidan.stats import Stats
from vidan_plugins.analytics.presence import Presence

expect = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright: pip install vidan[test]"
).expect

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}


class Street(Still):
    """A bright square that moves across a dark background."""

    __slots__ = ()

    def _make_rgb(self):
        rgb = np.full((self.height, self.width, 3), 40, np.uint8)
        x = self.index * 8 % (self.width - 60)
        rgb[100:160, x : x + 60] = 230
        return rgb


class Run(threading.Thread):
    """A run of about 30 frames per second that continues until `end` is called."""

    def __init__(self, sink, running=True):
        super().__init__()
        self.sink = sink
        self.stats = Stats()
        self.running = threading.Event()
        if running:
            self.running.set()
        self._ended = threading.Event()
        sink.bind_stats(self.stats)
        self.start()

    def run(self):
        index, presence = 0, Presence()
        while not self._ended.wait(1 / 30):
            if not self.running.is_set():
                continue
            self.stats.frame_captured(index, 0.0)
            self.stats.frame_done(time.monotonic(), {}, 1)
            one = result(index, [1 + index // 30], kind=Street, width=640, height=360)
            events = presence.update(one)
            self.stats.events_emitted(events)
            self.sink.emit(events)
            self.sink.write(one)
            index += 1
        self.sink.close()

    def end(self):
        self._ended.set()
        self.join()


@pytest.fixture
def start(serve):
    """Starts runs, which end with the test."""
    runs = []

    def begin(running=True, **options):
        runs.append(Run(serve(**options), running))
        return runs[-1]

    yield begin
    for each in runs:
        each.end()


@pytest.fixture
def run(start):
    return start()


def expect_state(page, text):
    expect(page.locator("#state")).to_have_text(text, timeout=20_000)


def pixels(page):
    """The image as displayed: (H,W,3) uint8."""
    png = np.frombuffer(page.locator("#image").screenshot(), np.uint8)
    return cv2.imdecode(png, cv2.IMREAD_COLOR)


def expect_motion(page):
    """Wait until the image changes, and check that it shows the square."""
    before = pixels(page)
    until(page, lambda: np.abs(pixels(page).astype(int) - before).max() > 100)
    after = pixels(page)
    assert after.max() > 200  # the square
    assert np.median(after) == pytest.approx(40, abs=6)  # the background


def number(page, key):
    return float(re.match(r"[\d.]+", page.locator(key).inner_text())[0])


def screenshot(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_image_and_the_statistics_are_updated(run, visit):
    page = visit(run.sink.address)
    expect_state(page, "live")
    expect_motion(page)
    until(page, lambda: 5 < number(page, "#fps") < 40)
    cells = page.locator("#objects td")
    expect(cells.nth(0)).to_have_text("person")
    expect(cells.nth(1)).to_have_text("1")
    before = int(cells.nth(2).inner_text())
    until(page, lambda: int(cells.nth(2).inner_text()) > before)
    expect(page.locator("#events li").first).to_contain_text(
        re.compile(r"person #\d+ (appeared|left)")
    )
    assert "door" in page.title()
    run.stats.dropped = 17
    expect(page.locator("#dropped")).to_have_text("17")


def test_before_the_first_image_the_page_is_waiting(start, visit):
    run = start(running=False)
    page = visit(run.sink.address)
    expect_state(page, "waiting for the first image")
    run.running.set()
    expect_state(page, "live")


def test_two_viewers_and_a_reload(run, visit):
    one, two = visit(run.sink.address), visit(run.sink.address)
    for page in (one, two, one):
        expect_state(page, "live")
        expect_motion(page)
    one.reload()
    for page in (one, two):
        expect_state(page, "live")
        expect_motion(page)


def test_many_tabs_of_one_browser(run, visit):
    """More than the six HTTP connections that a browser opens to one server."""
    first = visit(run.sink.address)
    pages = [first, *(first.context.new_page() for _ in range(7))]
    for page in pages[1:]:
        page.goto(run.sink.address)
    for page in pages:
        expect_state(page, "live")
    expect_motion(pages[-1])
    extra = first.context.new_page()
    extra.goto(run.sink.address)
    expect_state(extra, "too many viewers")
    pages[-1].close()
    expect_state(extra, "live")  # it has reconnected


def test_a_client_that_never_reads_affects_no_others(run, visit):
    page = visit(run.sink.address)
    expect_state(page, "live")
    with socket.create_connection(("127.0.0.1", run.sink.port)) as stuck:
        stuck.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        frames = run.stats.frames
        for _ in range(3):
            expect_motion(page)
        until(page, lambda: run.stats.frames > frames + 60)
        expect_state(page, "live")


def test_an_outage_of_the_camera_is_shown(run, visit, monkeypatch):
    page = visit(run.sink.address)
    expect_state(page, "live")
    run.running.clear()
    expect_state(page, re.compile(r"no new image for \d+ s"))
    run.running.set()
    expect_state(page, "live")
    expect_motion(page)


def test_the_page_shows_the_end_of_a_run_and_connects_to_the_next(run, visit, start):
    page = visit(run.sink.address)
    expect_state(page, "live")
    run.end()
    expect_state(page, "the run has ended")
    expect(page.locator("#fps")).not_to_contain_text(re.compile(r"\d"))
    assert pixels(page).max() > 200  # the last image remains
    screenshot(page, "ended")
    page.wait_for_timeout(2500)  # while it tries to reconnect
    expect_state(page, "the run has ended")
    start(port=run.sink.port)
    expect_state(page, "live")
    expect_motion(page)


def test_a_token_in_the_address_grants_access_and_is_removed_from_it(start, visit):
    token = "a-token-of-enough-characters"
    run = start(token=token)
    page = visit(f"{run.sink.address}?token={token}")
    expect_state(page, "live")
    expect_motion(page)
    assert token not in page.url


def test_a_link_with_a_token_from_another_site_grants_access(start, chromium):
    token = "a-token-of-enough-characters"
    run = start(token=token)
    page = chromium.new_page()
    page.set_content(f'<a href="{run.sink.address}?token={token}">open</a>')  # of another site
    page.click("a")
    expect_state(page, "live")
    page.close()


@pytest.mark.parametrize("colors", ["light", "dark"])
@pytest.mark.parametrize("device", ["wide", "phone"])
def test_the_whole_page_is_visible_on_every_screen(run, visit, colors, device):
    sizes = PHONE if device == "phone" else {"viewport": {"width": 1280, "height": 800}}
    page = visit(run.sink.address, color_scheme=colors, **sizes)
    expect_state(page, "live")
    expect_motion(page)
    expect(page.locator("#events li").first).to_be_visible()
    screenshot(page, f"{device}-{colors}")
    assert_accessible(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert bright > 200 if colors == "light" else bright < 60
    width = sizes["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # no horizontal scrolling
    for part in (
        "#image",
        "#tools",
        "#full",
        "#state",
        "#fps",
        "#skipped",
        "#objects",
        "#chart",
        "#events",
    ):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        assert box["height"] > 10, part
    image, fps = (page.locator(part).bounding_box() for part in ("#image", "#fps"))
    assert image["width"] / image["height"] == pytest.approx(16 / 9, rel=0.01)
    beside = fps["x"] > image["x"] + image["width"]
    assert beside == (device == "wide")


def toggle(page, name):
    return page.get_by_role("button", name=name, exact=True)


def expect_boxes(page, shown):
    """The box of the track is at 8 to 24 px, in the dark corner of the image; it has a color."""
    until(page, lambda: (np.ptp(pixels(page), axis=2)[:40].max() > 60) == shown)


def test_boxes_labels_and_trails_can_be_hidden_by_each_viewer(run, visit):
    one, two = visit(run.sink.address), visit(run.sink.address)
    for page in (one, two):
        expect_state(page, "live")
        expect_boxes(page, True)
    for name in ("Labels", "Boxes"):
        expect(toggle(one, name)).to_have_attribute("aria-pressed", "true")
        toggle(one, name).focus()
        one.keyboard.press("Enter")
        expect(toggle(one, name)).to_have_attribute("aria-pressed", "false")
    expect_boxes(one, False)
    expect_boxes(two, True)
    one.reload()  # the browser remembers it
    expect(toggle(one, "Boxes")).to_have_attribute("aria-pressed", "false")
    expect(toggle(one, "Trails")).to_have_attribute("aria-pressed", "true")
    expect_boxes(one, False)
    run.running.clear()  # also while the camera is lost
    expect_state(one, re.compile(r"no new image for \d+ s"))
    toggle(one, "Boxes").click()
    expect_boxes(one, True)


def test_what_is_not_drawn_can_be_shown(start, visit):
    run = start(drawing={"boxes": False, "unconfirmed": False})
    page = visit(run.sink.address)
    expect_state(page, "live")
    expect(toggle(page, "Boxes")).to_have_attribute("aria-pressed", "false")
    toggle(page, "Labels").click()
    expect_boxes(page, False)
    toggle(page, "Boxes").click()
    expect_boxes(page, True)


def test_full_screen_with_the_keyboard(run, visit):
    page = visit(run.sink.address, viewport={"width": 1280, "height": 800})
    expect_state(page, "live")
    full = "document.fullscreenElement?.id === 'stage'"
    page.keyboard.press("f")
    until_true(page, full)
    expect(toggle(page, "Leave full screen")).to_be_visible()
    expect_motion(page)
    assert page.locator("#image").bounding_box()["height"] > 600
    assert_accessible(page)
    screenshot(page, "full")
    page.keyboard.press("f")
    until_true(page, f"!({full})")
    toggle(page, "Full screen").click()
    until_true(page, full)
    page.evaluate("document.exitFullscreen()")  # as Escape does: the browser handles the key
    expect(toggle(page, "Full screen")).to_be_visible()
