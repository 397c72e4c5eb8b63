"""Paths that the documentation mentions exist, and the architecture page mentions all folders."""

import re

import pytest

from .pages import DOCS, ROOT

README_FILES = [ROOT / name for name in ("README.md", "SECURITY.md", "benchmarks/README.md")]
OURS = r"`((?:vidan|plugins|conf|training|tests|benchmarks|docs|examples)/[\w/.-]*)`"
BY_READERS = {"tests/test_my_tally.py", "conf/sink/counter.yaml"}
"""Files that a reader writes while following a page."""

TOPICS = {"vidan/available", "vidan/events", "vidan/front", "vidan/front/lines/door/out/person"}
"""Topics of MQTT, whose prefix is the name of a folder."""


@pytest.mark.parametrize(
    "page", [*DOCS.rglob("*.md"), *README_FILES], ids=lambda page: str(page.relative_to(ROOT))
)
def test_paths_exist(page):
    paths = set(re.findall(OURS, page.read_text("utf-8"))) - BY_READERS - TOPICS
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_architecture_lists_the_folders_of_core_and_plugins():
    page = (DOCS / "architecture.md").read_text("utf-8")
    folders = [
        path.parent.relative_to(ROOT)
        for package in ("vidan", "plugins")
        for path in (ROOT / package).glob("*/__init__.py")
    ]
    assert [folder for folder in folders if f"`{folder.name}/`" not in page] == []
