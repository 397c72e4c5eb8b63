"""The page in a real browser: Debian's Chromium, driven by Playwright.

Playwright, since it waits for what is to come true instead of sleeping, knows light and dark and
the sizes of phones, and speaks to the Chromium that the system has: its wheel brings the driver
along, and no browser is downloaded. Images of the page are kept if VIDAN_SCREENSHOTS names a
folder for them.
"""

import os
import re
import shutil
import socket
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.plugins.sinks.web.results import Still, result
from vidan.stats import Stats

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no Playwright: pip install vidan[test]"
)
expect = playwright.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium")

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}


class Street(Still):
    """A bright square that walks over a dark ground."""

    __slots__ = ()

    def _make_rgb(self):
        rgb = np.full((self.height, self.width, 3), 40, np.uint8)
        x = self.index * 8 % (self.width - 60)
        rgb[100:160, x : x + 60] = 230
        return rgb


class Run(threading.Thread):
    """A run of some 30 frames a second, which goes on until it is ended."""

    def __init__(self, sink, going=True):
        super().__init__()
        self.sink = sink
        self.stats = Stats()
        self.going = threading.Event()
        if going:
            self.going.set()
        self._over = threading.Event()
        sink.bind_stats(self.stats)
        self.start()

    def run(self):
        index = 0
        while not self._over.wait(1 / 30):
            if not self.going.is_set():
                continue
            self.stats.frame_captured(index, 0.0)
            self.stats.frame_done(time.monotonic(), {}, 1, {} if index % 30 else {"person": 1})
            self.sink.write(result(index, [1 + index // 30], kind=Street, width=640, height=360))
            index += 1
        self.sink.close()

    def end(self):
        self._over.set()
        self.join()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        # As root, as in a container, there is no sandbox.
        sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
        browser = driver.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def start(serve):
    """Begins runs, which end with the test."""
    runs = []

    def begin(going=True, **options):
        runs.append(Run(serve(**options), going))
        return runs[-1]

    yield begin
    for each in runs:
        each.end()


@pytest.fixture
def run(start):
    return start()


@pytest.fixture
def visit(chromium):
    """Opens pages; nothing may go wrong in them, and nothing come from elsewhere."""
    contexts, said, hosts = [], [], set()

    def go(address, expected=200, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("websocket", lambda socket: hosts.add(socket.url.split("/")[2]))
        answer = page.goto(address)
        assert answer.status == expected
        return page

    yield go
    for context in contexts:
        context.close()
    # Over, a page looks for the next run at the same address.
    assert [text for text in said if "ERR_CONNECTION_REFUSED" not in text] == []
    assert len(hosts) == 1


def state(page, text):
    expect(page.locator("#state")).to_have_text(text, timeout=20_000)


def pixels(page):
    """What is seen of the image: (H,W,3) uint8."""
    png = np.frombuffer(page.locator("#picture").screenshot(), np.uint8)
    return cv2.imdecode(png, cv2.IMREAD_COLOR)


def until(page, true, timeout=20.0):
    """Wait for what must come true, while the page goes on."""
    end = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def moves(page):
    """Wait until the image is another one, and is an image."""
    before = pixels(page)
    until(page, lambda: np.abs(pixels(page).astype(int) - before).max() > 100)
    after = pixels(page)
    assert after.max() > 200  # the square
    assert np.median(after) == pytest.approx(40, abs=6)  # the ground


def number(page, key):
    return float(re.match(r"[\d.]+", page.locator(key).inner_text())[0])


def keep(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_image_moves_and_the_figures_change(run, visit):
    page = visit(run.sink.address)
    state(page, "live")
    moves(page)
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


def test_before_the_first_image_it_is_not_live(start, visit):
    run = start(going=False)
    page = visit(run.sink.address)
    state(page, "waiting for the first picture")
    run.going.set()
    state(page, "live")


def test_a_second_viewer_and_a_reload(run, visit):
    one, two = visit(run.sink.address), visit(run.sink.address)
    for page in (one, two, one):
        state(page, "live")
        moves(page)
    one.reload()
    for page in (one, two):
        state(page, "live")
        moves(page)


def test_many_tabs_of_one_browser(run, visit):
    """More than the six connections that a browser has for one server by HTTP."""
    first = visit(run.sink.address)
    pages = [first, *(first.context.new_page() for _ in range(7))]
    for page in pages[1:]:
        page.goto(run.sink.address)
    for page in pages:
        state(page, "live")
    moves(pages[-1])
    extra = first.context.new_page()
    extra.goto(run.sink.address)
    state(extra, "too many viewers")
    pages[-1].close()
    state(extra, "live")  # it has tried again


def test_who_never_reads_harms_nobody(run, visit):
    page = visit(run.sink.address)
    state(page, "live")
    with socket.create_connection(("127.0.0.1", run.sink.port)) as stuck:
        stuck.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        frames = run.stats.frames
        for _ in range(3):
            moves(page)
        until(page, lambda: run.stats.frames > frames + 60)
        state(page, "live")


def test_a_camera_that_is_away_and_back(run, visit, monkeypatch):
    page = visit(run.sink.address)
    state(page, "live")
    run.going.clear()
    state(page, re.compile(r"no picture for \d+ s"))
    run.going.set()
    state(page, "live")
    moves(page)


def test_the_end_of_the_run_and_the_next_run(run, visit, start):
    page = visit(run.sink.address)
    state(page, "live")
    run.end()
    state(page, "the run has ended")
    expect(page.locator("#fps")).not_to_contain_text(re.compile(r"\d"))
    assert pixels(page).max() > 200  # the last image stays
    keep(page, "ended")
    page.wait_for_timeout(2500)  # while it looks for the next run
    state(page, "the run has ended")
    start(port=run.sink.port)
    state(page, "live")
    moves(page)


def test_a_token_in_the_address_opens_the_page_and_goes_out_of_it(start, visit):
    token = "a-token-of-enough-characters"
    run = start(token=token)
    page = visit(f"{run.sink.address}?token={token}")
    state(page, "live")
    moves(page)
    assert token not in page.url


def test_a_link_with_a_token_in_a_message_opens_the_page(start, chromium):
    token = "a-token-of-enough-characters"
    run = start(token=token)
    page = chromium.new_page()
    page.set_content(f'<a href="{run.sink.address}?token={token}">look</a>')  # of another site
    page.click("a")
    state(page, "live")
    page.close()


@pytest.mark.parametrize("colors", ["light", "dark"])
@pytest.mark.parametrize("device", ["wide", "phone"])
def test_all_is_seen_on_every_screen(run, visit, colors, device):
    sizes = PHONE if device == "phone" else {"viewport": {"width": 1280, "height": 800}}
    page = visit(run.sink.address, color_scheme=colors, **sizes)
    state(page, "live")
    moves(page)
    page.wait_for_timeout(1500)
    keep(page, f"{device}-{colors}")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
    assert bright > 200 if colors == "light" else bright < 60
    width = sizes["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width  # nothing sticks out
    for part in ("#picture", "#state", "#fps", "#skipped", "#objects", "#chart", "#events"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        assert box["height"] > 10, part
    picture, fps = (page.locator(part).bounding_box() for part in ("#picture", "#fps"))
    assert picture["width"] / picture["height"] == pytest.approx(16 / 9, rel=0.01)
    beside = fps["x"] > picture["x"] + picture["width"]
    assert beside == (device == "wide")
