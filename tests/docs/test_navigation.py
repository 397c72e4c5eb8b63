"""The menu of the site and the pages agree."""

import re

import pytest
import yaml

from .pages import DOCS, ROOT


def entries(nav):
    """Menu entries and their pages."""
    for item in nav:
        for title, target in item.items():
            yield from [(title, target)] if isinstance(target, str) else entries(target)


NAV = list(entries(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))


@pytest.mark.parametrize(("title", "page"), [item for item in NAV if item[0] != "Home"])
def test_menu_entries_are_the_titles_of_the_pages(title, page):
    path = ROOT / "benchmarks/README.md" if page == "benchmarks.md" else DOCS / page
    assert re.match(r"# (.*)", path.read_text("utf-8"))[1] == title


def test_every_page_is_in_the_menu():
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert pages | {"benchmarks.md"} == {page for _, page in NAV}
