"""The config groups and their options, read without Hydra so that `--help` is fast."""

from __future__ import annotations

import importlib.resources
import inspect
from collections.abc import Iterable
from importlib.resources.abc import Traversable
from pathlib import Path

from ..registry.discovery import load_plugins

CONFIG_MODULE = "vidan.conf"
"""The package of the built-in configuration."""


def groups() -> dict[str, dict[str, str]]:
    """Options of each config group, each with the first comment of its file."""
    found: dict[str, dict[str, str]] = {}
    for path in [f"pkg://{CONFIG_MODULE}", *load_plugins().configs]:
        for folder in _folder(path).iterdir():
            if folder.is_dir() and (options := _options(folder)):
                known = found.setdefault(folder.name, {})
                known |= {name: text for name, text in options.items() if name not in known}
    for component in load_plugins().local:
        about = (inspect.getdoc(component.load()) or "").partition("\n")[0]
        found.setdefault(component.kind, {}).setdefault(component.name, about)
    return {group: dict(sorted(options.items())) for group, options in sorted(found.items())}


def option_file(group: str, name: str, paths: Iterable[str]) -> Traversable | None:
    """The file of an option in the first config folder that has one; None if none has."""
    for path in paths:
        file = _folder(path).joinpath(group, f"{name}.yaml")
        if file.is_file():
            return file
    return None


def _folder(path: str) -> Traversable:
    scheme, _, rest = path.rpartition("://")
    return importlib.resources.files(rest) if scheme == "pkg" else Path(rest)


def _options(folder: Traversable) -> dict[str, str]:
    files = [f for f in folder.iterdir() if f.name.endswith(".yaml")]
    return {file.name.removesuffix(".yaml"): _about(file) for file in files}


def _about(file: Traversable) -> str:
    """The first comment of a file, apart from `# @package`; "" if there is none."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") and not line.startswith("# @"):
            return line.lstrip("# ").strip()
        if not line.startswith("#"):
            break
    return ""
