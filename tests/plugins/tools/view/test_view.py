"""`vidan view`."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

import vidan
from tests.plugins.browser import assert_accessible, until_true
from vidan.cli.main import main

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
