"""The generated parts of the documentation, as a hook of MkDocs.

A page marks a generated part with `<!-- generated: commands -->`. Generated text is not stored in
the repository, so it cannot be out of date.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MARK = re.compile(r"<!-- generated: ([\w-]+) -->")
WIDTH = "88"
"""Columns of the output of commands."""


def on_files(files: Any, config: Any) -> Any:
    """Add the README of the benchmarks as a page."""
    from mkdocs.structure.files import File

    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    text = text.replace("](../docs/", "](")
    # Other files next to the README are not part of the site.
    text = re.sub(r"\[([^\]]+)\]\((?!https?:|#|\w+\.md)[^)]+\)", r"\1", text)
    files.append(File.generated(config, "benchmarks.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace marks by generated text."""
    return MARK.sub(lambda found: GENERATORS[found[1]](), markdown)


def commands() -> str:
    """The output of `vidan --help` and of every `vidan <command> --help`."""
    from vidan.registry.discovery import load_plugins

    parts = ["## vidan\n", _block(_output(["--help"]))]
    for command in sorted(load_plugins().commands, key=lambda c: c.name):
        parts += [f"## vidan {command.name}\n", f"{command.help}\n"]
        parts.append(_block(_output([*command.name.split(), "--help"])))
    return "\n".join(parts)


def _output(arguments: list[str]) -> str:
    from vidan.cli.main import main

    out = io.StringIO()
    kept = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(out):
            code = main(arguments)
    finally:
        if kept is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = kept
    if code:
        raise RuntimeError(f"vidan {' '.join(arguments)} exited with {code}")
    return out.getvalue()


def _block(text: str, language: str = "text") -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


def configuration() -> str:
    """Every config group with its components and their options: type, default, description."""
    from vidan.kinds import KINDS
    from vidan.registry.discovery import load_plugins

    parts = []
    for kind in KINDS:
        parts.append(f"## {kind}\n")
        for component in load_plugins().registry:
            if component.kind == kind and component.package.name == "vidan":
                parts += _component(component)
    return "\n".join(parts)


def _component(component: Any) -> Iterator[str]:
    import docstring_parser

    from vidan.authoring.show import parameters
    from vidan.kinds import KINDS

    target = component.load()
    text = docstring_parser.parse(target.__doc__ or "")
    yield f"### {component.kind}={component.name}\n"
    yield f"{text.short_description or ''}\n"
    if text.long_description:
        yield f"{text.long_description}\n"
    where = KINDS[component.kind].key(component.name)
    configured = _configured(component.kind, component.name)
    rows = [
        (f"`{where}.{p.name}`", f"`{p.type}`", f"`{configured.get(p.name, p.default)}`", p.about)
        for p in parameters(target)
    ]
    if rows:
        yield "| key | type | default | description |\n|---|---|---|---|"
        for row in rows:
            # A | ends a cell unless it is escaped or in code.
            about = row[3].replace("|", r"\|")
            yield f"| {' | '.join(row[:3])} | {about} |"
        yield ""


def _configured(kind: str, name: str) -> dict[str, str]:
    """The values in the config file of a component."""
    from omegaconf import OmegaConf

    from vidan.authoring.show import as_yaml

    file = importlib.resources.files("vidan.conf") / kind / f"{name}.yaml"
    values = OmegaConf.to_container(OmegaConf.create(file.read_text(encoding="utf-8")))
    assert isinstance(values, dict)
    if values.pop("defaults", None):  # of sinks that draw
        values["drawing"] = "as in the group drawing"
    return {str(k): as_yaml(v) for k, v in values.items()}


def tables() -> str:
    """The tables of sink=sql and sink=parquet, with the meaning of each column."""
    from vidan_plugins.sinks.store.tables import TABLES

    parts = []
    for table in TABLES.values():
        parts.append(f"### {table.name}\n\n| column | type | meaning |\n|---|---|---|")
        for column in table.columns:
            name = f"**{column.name}**" if column.name in table.key else column.name
            kind = {"dict": "JSON", "str": "text"}.get(column.type.__name__, column.type.__name__)
            parts.append(f"| {name} | {kind} | {column.meaning} |")
        parts.append("")
    return "\n".join(parts)


def files() -> str:
    """The config files of all runs, of the pipeline and of the recipes of `vidan train`."""
    conf = importlib.resources.files("vidan.conf")
    parts = ["## All runs\n", _block((conf / "config.yaml").read_text("utf-8"), "yaml")]
    for group, title in (
        ("pipeline", "pipeline"),
        ("drawing", "drawing"),
        ("train", "Recipes of vidan train"),
    ):
        parts.append(f"## {title}\n")
        names = sorted(f.name for f in (conf / group).iterdir() if f.name.endswith(".yaml"))
        for name in names:
            text = (conf / group / name).read_text("utf-8")
            parts += [f"### {group}={name.removesuffix('.yaml')}\n", _block(text, "yaml")]
    return "\n".join(parts)


def public() -> str:
    """The public names of `vidan`, from its `__all__`."""
    import vidan
    from vidan.kinds import KINDS

    first = ("run", "create", "Pipeline")
    rest = [name for name in vidan.__all__ if name not in first and not name.endswith("Error")]
    errors = [name for name in vidan.__all__ if name.endswith("Error")]
    groups = {"Running": first, "Types": rest, "Errors": errors}
    # Documented on a page of their own.
    skip = {kind.protocol.__name__ for kind in KINDS.values()} | {"hookimpl", "StopRun"}
    return "\n".join(
        f"## {title}\n\n" + "\n".join(_documented(f"vidan.{n}") for n in names if n not in skip)
        for title, names in groups.items()
    )


def suites() -> str:
    """The public names of `vidan.testing`, from its `__all__`."""
    from vidan import testing

    names = sorted(testing.__all__, key=lambda name: (not name.endswith("Suite"), name))
    return "\n".join(_documented(f"vidan.testing.{name}") for name in names)


def _documented(name: str) -> str:
    return f"::: {name}\n    options:\n      heading_level: 3\n"


GENERATORS = {
    "commands": commands,
    "configuration": configuration,
    "files": files,
    "public": public,
    "suites": suites,
    "tables": tables,
}
"""Generated text by the name in the mark."""
