"""Every option of every component and of every configuration file says what it is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

import vidan.conf
from vidan.authoring.show import parameters
from vidan.config.build import hints, keywords
from vidan.registry.discovery import load_plugins

CONF = Path(next(iter(vidan.conf.__path__)))
FILES = {str(path.relative_to(CONF)): path for path in sorted(CONF.rglob("*.yaml"))}
RECIPES = {"train/lite0.yaml", "train/d0.yaml"}
"""The recipes whose keys are described; the others have the same keys."""

KEY = re.compile(r" *(?P<name>[\w.]+):( +(?P<value>[^#\s].*?))?( +# (?P<about>.*))?")
EMPTY = re.compile(r"(as in|as of|see|given by|\?\?\?)", re.IGNORECASE)
"""How a description begins that sends the reader elsewhere."""

COMPONENTS = {
    f"{component.kind}/{component.name}": component
    for component in load_plugins().registry
    if component.package.name == "vidan" and not component.missing()
}


def described(path: Path) -> Iterator[tuple[str, str]]:
    """The keys of a configuration file with their comments, behind, above or below."""
    lines = path.read_text(encoding="utf-8").split("\nhydra:")[0].splitlines()
    for number, line in enumerate(lines):
        key = KEY.fullmatch(line)
        if key is None or key["name"] in ("name", "defaults") or "${drawing" in line:
            continue
        above = []
        for other in reversed(lines[:number]):
            if not other.lstrip().startswith("#"):
                break
            above.append(other)
        yield key["name"], " ".join([key["about"] or "", *above])


@pytest.mark.parametrize("name", [n for n in FILES if "train/" not in n or n in RECIPES])
def test_every_key_of_a_configuration_file_has_a_comment(name):
    silent = [key for key, about in described(FILES[name]) if len(about.split()) < 2]
    if name in ("drawing/none.yaml", "scene/synthetic_demo.yaml"):
        silent = silent[:0]  # they set what another file describes
    assert silent == []


@pytest.mark.parametrize("name", COMPONENTS)
def test_descriptions_of_options_do_not_send_the_reader_elsewhere(name):
    for parameter in parameters(COMPONENTS[name].load()):
        assert len(parameter.about.split()) > 1, parameter
        assert not EMPTY.match(parameter.about), parameter
        assert "Limits.parse" not in parameter.about


def choices(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
        return
    for argument in get_args(hint):
        yield from choices(argument)


@pytest.mark.parametrize("name", [name for name in COMPONENTS if f"{name}.yaml" in FILES])
def test_the_choices_of_an_option_are_listed(name):
    target = COMPONENTS[name].load()
    about = dict(described(FILES[f"{name}.yaml"]))
    text = FILES[f"{name}.yaml"].read_text(encoding="utf-8")
    for key in keywords(target):
        values = {key: re.search(rf"^{key}: (.*)$", text, re.MULTILINE)}
        missing = [
            choice
            for choice in choices(hints(target).get(key))
            if str(choice) not in about[key] and str(choice) not in values[key][1]
        ]
        assert missing == [], f"{key}: {about[key]}"
    shown = {parameter.name: parameter.type for parameter in parameters(target)}
    for key in shown:
        assert all(repr(choice) in shown[key] for choice in choices(hints(target).get(key)))
