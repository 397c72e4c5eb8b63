"""The site in a real browser: what a reader sees and finds."""

import functools
import http.server
import threading

import pytest

CUT_OFF = """() => [...document.querySelectorAll("pre > code")]
    .filter(code => code.scrollWidth > code.clientWidth + 1)
    .map(code => code.innerText)"""

SEARCHES = {
    "line": "counting.html",
    "zone": "counting.html",
    "heatmap": "speed.html",
    "MQTT": "integrations.html",
    "Docker": "deployment.html",
    "service": "deployment.html",
    "job file": "deployment.html",
    "quiet": "tutorial.html",
}
"""What a reader may search for, and a page that explains it."""


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *arguments):
        """See `BaseHTTPRequestHandler`."""


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Silent, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.docs
def test_no_code_is_cut_off(site, address, visit):
    page = visit(f"{address}/index.html", viewport={"width": 1280, "height": 900})
    files = sorted(site.rglob("*.html"))
    assert len(files) > 40
    for file in files:
        page.goto(f"{address}/{file.relative_to(site)}")
        assert page.evaluate(CUT_OFF) == [], file
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, file


@pytest.mark.docs
@pytest.mark.parametrize("words", SEARCHES)
def test_searches_find_a_page(address, visit, words):
    page = visit(f"{address}/index.html", viewport={"width": 1280, "height": 900})
    page.locator(".md-search__input").press_sequentially(words)
    found = page.locator(f".md-search-result__item a[href*='{SEARCHES[words]}']")
    found.first.wait_for(state="attached")
