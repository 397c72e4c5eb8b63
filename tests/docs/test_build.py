"""The site is built without warnings, and its reference matches the program."""

import html
import re
from html.parser import HTMLParser

import pytest

import vidan
from vidan import testing
from vidan.cli.main import help_text
from vidan.kinds import KINDS
from vidan.registry.discovery import load_plugins


class Links(HTMLParser):
    """URLs that a page loads: scripts, styles, images; not its hyperlinks."""

    def __init__(self):
        super().__init__()
        self.loaded = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in ("script", "img", "iframe", "source"):
            self.loaded.append(values.get("src"))
        elif tag == "link" and values.get("rel") != "canonical":
            self.loaded.append(values.get("href"))


@pytest.mark.docs
def test_nothing_is_loaded_from_other_hosts(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        links = Links()
        links.feed(page.read_text(encoding="utf-8"))
        outside = [url for url in links.loaded if url and re.match(r"(https?:)?//", url)]
        assert not outside, (page.name, outside)
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style


def words(site, page):
    """The text of a page on one line."""
    text = (site / page).read_text(encoding="utf-8")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


@pytest.mark.docs
def test_all_commands_are_documented(site):
    text = words(site, "reference/commands.html")
    assert " ".join(help_text().split()) in text
    for command in load_plugins().commands:
        assert f"vidan {command.name}" in text
        assert command.help in text
    assert "--folder FOLDER" in text  # an option of `vidan plugins new`


@pytest.mark.docs
def test_all_components_and_keys_are_documented(site):
    from vidan.authoring.show import parameters

    text = words(site, "reference/configuration.html")
    for component in load_plugins().registry:
        if component.package.name != "vidan":
            continue
        assert f"{component.kind}={component.name}" in text
        where = KINDS[component.kind].key(component.name)
        for parameter in parameters(component.load()):
            assert f"{where}.{parameter.name}" in text
            assert parameter.about, f"{component.kind}/{component.name}: {parameter.name}"


@pytest.mark.docs
def test_all_public_names_are_documented(site):
    pages = [words(site, f"reference/{p}.html") for p in ("python", "interfaces", "testing")]
    for name in [*vidan.__all__, *testing.__all__]:
        assert any(re.search(rf"\b{name}\b", text) for text in pages), name
