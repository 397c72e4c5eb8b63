"""The files of the pages."""

import re
from importlib import resources

import pytest

FILES = resources.files("vidan_plugins.sinks.web")
PAGES = ("page.html", "wall.html", "history/history.html", "editor/editor.html")

MAX_PAGE_BYTES = 150_000


def parts(page):
    """The scripts and styles of a page."""
    text = FILES.joinpath(page).read_text("utf-8")
    folder = page.rpartition("/")[0]
    for name in re.findall(r'(?:src|href)="([\w.]+\.(?:js|css))"', text):
        own = FILES.joinpath(folder, name)
        yield name, (own if own.is_file() else FILES.joinpath(name)).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_small(page):
    text = FILES.joinpath(page).read_text("utf-8")
    assert sum(len(part.encode()) for _, part in parts(page)) + len(text) < MAX_PAGE_BYTES


def test_every_text_of_the_pages_is_translatable_and_used():
    known = set(re.findall(r"^  (\w+): ", dict(parts("page.html"))["strings.js"], re.M))
    used = set()
    for page in PAGES:
        html = FILES.joinpath(page).read_text("utf-8")
        used |= set(re.findall(r'data-(?:text|label|title)="(\w+)"', html))
        scripts = "".join(text for name, text in parts(page) if name != "strings.js")
        used |= {name for name in known if re.search(rf'["`]{name}["`]', scripts)}
        missing = set(re.findall(r'say\("(\w+)"', scripts)) - known
        assert not missing
    assert used >= known - {name for name in known if re.match(r"(state|span|direction)_", name)}
    assert used <= known
