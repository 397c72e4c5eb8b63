"""`vidan view`."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

import vidan
from tests.clips import write_clip
from tests.plugins.browser import assert_accessible, until_true
from vidan.cli.main import main
from vidan_plugins.tools.view import view

RUN = [
    "source=synthetic", "source.width=320", "source.height=192", "source.rate=25", "max_frames=75",
    "detector=mot", "detector.path=det.txt", "tracker=sort", "tracker.min_hits=0",
    "scene.lines.door={from:[0.5,0],to:[0.5,1]}", "sink=[video,events]",
    "analytics=[presence,lines,heatmap]", "run_dir=runs/a",
]  # fmt: skip


@pytest.fixture
def ran(here):
    """A run in which an object crosses the line in frame 40 or so."""
    rows = [f"{n + 1},-1,{4 * n},60,30,60,1,-1,-1,-1\n" for n in range(75)]
    (here / "det.txt").write_text("".join(rows))
    vidan.run(RUN)
    return here / "runs/a"


@contextmanager
def viewing(directory):
    """The address of the page, and its token."""
    command = [sys.executable, "-m", "vidan", "view", str(directory), "port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            yield re.fullmatch(
                r"see it at (http://127\.0\.0\.1:\d+/)\?token=(\S+)\n", line
            ).groups()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_finished_run_in_the_browser(ran, visit):
    from playwright.sync_api import expect

    with viewing(ran) as (address, token):
        page = visit(f"{address}?token={token}", viewport={"width": 1280, "height": 900})
        crossed = page.locator("#list li", has_text="line.crossed")
        expect(crossed).to_have_count(1)
        until_true(page, "document.querySelector('#video').readyState >= 1")
        assert_accessible(page)
        assert page.evaluate("document.querySelector('#video').duration") == pytest.approx(
            3, abs=0.2
        )
        crossed.get_by_role("button").click()
        until_true(page, "document.querySelector('#video').currentTime > 0.3")
        page.evaluate("document.querySelector('#video').pause()")
        until_true(page, "at('heat').naturalWidth === 320 && at('still').naturalWidth === 320")
        expect(page.locator("#heat-legend")).to_contain_text("in 3.0 s")


def test_parts_of_the_video_and_no_other_file(ran):
    (ran / "secret.txt").write_text("secret")
    (ran / "summary.json").unlink()  # as while the run goes on
    with viewing(ran) as (address, token):

        def get(path, **headers):
            headers = {"Authorization": f"Bearer {token}"} | headers
            return urllib.request.urlopen(urllib.request.Request(address + path, None, headers))

        with get("video/0", Range="bytes=4-7") as answer:
            assert answer.status == 206
            assert answer.read() == b"ftyp"
        for path in ("video/1", "video/..", "video/secret.txt", "secret.txt", "events.jsonl"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(path)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{address}video/0")
        with get("history.json") as answer:
            found = json.load(answer)
        assert found["videos"] == [0.0]
        assert [one["total"] for one in found["lines"]] == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the directory of a run"),
        (["a", "b"], "name the directory of a run"),
        (["nowhere"], "has neither history.sqlite nor events.jsonl: run with"),
        (["shop"], "has several streams: vidan view shop/door, or another of door, hall"),
        (["broken"], "line 1: not an event"),
        (["cut", "port=99999"], "port: expected `int` <= 65535"),
    ],
)
def test_bad_input(here, capsys, arguments, message):
    for name in ("door", "hall"):
        (here / "shop" / name / ".hydra").mkdir(parents=True)
    for name, text in (("broken", "{}\n{}\n"), ("cut", "{")):
        (here / name).mkdir()
        (here / name / "events.jsonl").write_text(text)
    assert main(["view", *arguments]) in (1, 2)
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def screenshot(page, name):
    if folder := os.environ.get("VIDAN_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.fixture
def plain(here, ran):
    """The same run, with a video without drawings and the tracks in a file."""
    changes = ["sink=[video,events,jsonl]", "drawing=none", "run_dir=runs/plain"]
    arguments = [each for each in RUN if not each.startswith(("sink=", "run_dir="))] + changes
    subprocess.run([sys.executable, "-m", "vidan", *arguments], check=True, capture_output=True)
    return here / "runs/plain"


def test_boxes_labels_and_trails_over_the_video(plain, visit):
    from playwright.sync_api import expect

    with viewing(plain) as (address, token):
        page = visit(f"{address}?token={token}", viewport={"width": 1280, "height": 900})
        overlay = page.locator("#overlay")
        page.evaluate("document.querySelector('#video').currentTime = 1.6")
        expect(overlay.locator("rect")).to_have_attribute("x", re.compile(r"1[56]\d"))
        expect(overlay.locator("text")).to_contain_text("#1 person")
        expect(overlay.locator("polyline")).to_have_count(1)
        video = page.locator("#video").bounding_box()
        assert overlay.bounding_box() == video
        assert_accessible(page)
        screenshot(page, "view")
        page.get_by_role("button", name="Boxes").click()
        expect(overlay.locator("rect")).to_have_count(0)
        expect(overlay.locator("text")).to_have_count(1)
        page.reload()  # the browser remembers it
        expect(overlay.locator("text")).to_have_count(1)
        expect(overlay.locator("rect")).to_have_count(0)
        page.keyboard.press("f")
        until_true(page, "document.fullscreenElement?.id === 'stage'")
        until_true(page, "at('video').getBoundingClientRect().width > 1200")
        assert overlay.bounding_box() == page.locator("#video").bounding_box()


def test_what_the_video_has_is_not_drawn_again(ran, visit):
    from playwright.sync_api import expect

    with viewing(ran) as (address, token):
        page = visit(f"{address}?token={token}")
        expect(page.get_by_role("button", name="Full screen")).to_be_visible()
        expect(page.get_by_role("button", name="Boxes")).to_be_hidden()


def test_tracks_by_time(plain):
    with viewing(plain) as (address, token):

        def get(query):
            headers = {"Authorization": f"Bearer {token}"}
            request = urllib.request.Request(f"{address}tracks.json?{query}", None, headers)
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        frames = get("begin=1&end=1.2")
        assert [frame["time"] for frame in frames] == [1.0, 1.04, 1.08, 1.12, 1.16]
        assert frames[0]["size"] == [320, 192]
        (track,) = frames[0]["tracks"]
        assert (track["id"], track["label"]) == (1, "person")
        assert track["box"][0] == pytest.approx(100, abs=2)
        assert get("begin=99&end=100") == []
        for query in ("begin=0&end=61", "begin=2&end=1", "begin=nan&end=1", "begin=1"):
            with pytest.raises(urllib.error.HTTPError, match="400"):
                get(query)


def test_a_playlist_that_is_named_as_a_video_is_no_recording(tmp_path):
    write_clip(tmp_path / "own.ts")
    write_clip(tmp_path / "b.mp4")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nown.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.mp4").write_text(playlist)
    assert [each.path.name for each in view._recordings(tmp_path)] == ["b.mp4"]
