"""`vidan plugins new`: create a plugin package that works, as a start for a new component."""

from __future__ import annotations

import importlib.resources
import keyword
import re
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from ..cli.terminal import console
from ..errors import ConfigError, SinkError
from ..kinds import KINDS
from ..registry.discovery import API
from ..support.arguments import ArgumentParser

TEMPLATES = importlib.resources.files("vidan.authoring") / "templates"


def new(arguments: list[str]) -> int:
    """Create a package in a folder of the same name."""
    parser = ArgumentParser(
        "vidan plugins new",
        description="Create a plugin package with a component, its configuration, tests, README "
        "and CI. It works and passes its tests; replace the code by your own.",
    )
    parser.add_argument("name", help="of the package, such as my-blur")
    parser.add_argument("--kind", choices=KINDS, required=True, help="kind of the component")
    parser.add_argument("--folder", default=".", help="parent folder (default: the current one)")
    given = parser.parse_args(arguments)
    folder = write(given.name, given.kind, Path(given.folder))
    console().print(
        f"{folder}: created {KINDS[given.kind].noun}. Next steps:\n"
        f"  pip install -e '{folder}[test]'\n"
        f"  pytest {folder}\n"
        f"  vidan plugins check {folder}",
        highlight=False,
    )
    return 0


def write(name: str, kind: str, parent: Path) -> Path:
    """Create the package `name` with a component of a kind, and return its folder.

    Raises:
        ConfigError: the name is not valid for a package, or the folder exists.
        SinkError: the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise ConfigError(f"name {name!r}: expected lower-case words with hyphens, as in my-blur")
    folder = parent / name
    if folder.exists():
        raise ConfigError(f"{str(folder)!r} exists already: choose another name or folder")
    module = name.replace("-", "_")
    values = {
        "name": name,
        "module": module,
        "component": module,
        "klass": "".join(word.capitalize() for word in name.split("-")),
        "kind": kind,
        "noun": KINDS[kind].noun.capitalize(),
        "where": KINDS[kind].key(module),
        "command": "vidan" if KINDS[kind].in_run else "vidan batch",
        "api": str(API),
    }
    try:
        for path, template in _files(kind, module):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            text = Template(template.read_text(encoding="utf-8")).substitute(values)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"cannot write {str(folder)!r}: {error.strerror}") from error
    return folder


def _files(kind: str, module: str) -> list[tuple[str, Traversable]]:
    """The path of each file in the package, and its template."""
    package = f"src/{module}"
    empty = TEMPLATES / "empty.tmpl"
    return [
        ("pyproject.toml", TEMPLATES / "pyproject.toml.tmpl"),
        ("README.md", TEMPLATES / "README.md.tmpl"),
        (".gitignore", TEMPLATES / "gitignore.tmpl"),
        (".github/workflows/test.yml", TEMPLATES / "test.yml.tmpl"),
        (f"{package}/__init__.py", TEMPLATES / "init.py.tmpl"),
        (f"{package}/py.typed", empty),
        (f"{package}/{kind}.py", TEMPLATES / f"{kind}.py.tmpl"),
        (f"{package}/conf/__init__.py", empty),
        (f"{package}/conf/{kind}/__init__.py", empty),
        (f"{package}/conf/{kind}/{module}.yaml", TEMPLATES / f"{kind}.yaml.tmpl"),
        (f"tests/test_{module}.py", TEMPLATES / f"test_{kind}.py.tmpl"),
    ]
