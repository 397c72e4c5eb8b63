"""Imports of the packages, and lengths of their files and functions.

    python -m tests.structure

prints the figures; exits with 1 if there is an import cycle, a crowded folder or a banned word.
`tests/test_structure.py` and `tests/test_language.py` check the same.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import numpy as np

from tests.language import all_uses

ROOT = Path(__file__).parents[1]
PACKAGES = {"vidan": "vidan", "vidan_plugins": "plugins", "vidan_training": "training"}
"""Top-level packages and their folders."""

MAX_MODULES = 20
"""Modules per folder, without `__init__`."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name."""
    found = {}
    for top, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = [top, *path.relative_to(ROOT / folder).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, package: list[str]) -> Iterator[str]:
    """Absolute names that a file imports anywhere: modules, and names in modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}"


def package_of(name: str) -> list[str]:
    """The package of a module, or the module itself if it is a package."""
    parts = name.split(".")
    return parts if modules()[name].name == "__init__.py" else parts[:-1]


@cache
def imports() -> dict[str, set[str]]:
    """The modules that each module imports, including imports for types only."""
    return {
        name: {
            found
            for target in imported(path, package_of(name))
            if (found := _module(target)) is not None and found != name
        }
        for name, path in modules().items()
    }


def _module(name: str) -> str | None:
    """The module that a dotted name is or belongs to; None outside the packages."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None


def file_cycle() -> list[str]:
    """An import cycle between modules; empty if there is none."""
    return _cycle(imports())


def folder_cycles() -> list[list[str]]:
    """For each folder with one, an import cycle between its files and subfolders."""
    graphs: dict[str, dict[str, set[str]]] = {}
    for importer, targets in imports().items():
        for target in targets:
            for parent, one, other in _children(importer, target):
                graphs.setdefault(parent, {}).setdefault(one, set()).add(other)
    return [cycle for graph in graphs.values() if (cycle := _cycle(graph))]


def _children(importer: str, target: str) -> Iterator[tuple[str, str, str]]:
    """The innermost folder that contains two modules, and its children that they are in."""
    one, other = importer.split("."), target.split(".")
    depth = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if depth is not None:  # else one module is the package of the other
        yield ".".join(one[:depth]), ".".join(one[: depth + 1]), ".".join(other[: depth + 1])


def _cycle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def crowded_folders() -> dict[str, int]:
    """Folders with more than MAX_MODULES modules."""
    counts: dict[str, int] = {}
    for path in modules().values():
        if path.name != "__init__.py":
            folder = str(path.parent.relative_to(ROOT))
            counts[folder] = counts.get(folder, 0) + 1
    return {folder: count for folder, count in counts.items() if count > MAX_MODULES}


def sizes() -> tuple[list[int], list[int]]:
    """Lines of each module that is not empty, and of each function."""
    files, functions = [], []
    for path in modules().values():
        text = path.read_text(encoding="utf-8")
        if text.strip():
            files.append(len(text.splitlines()))
        functions += [
            (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    return files, functions


def main() -> int:
    """Print all figures; 1 if a limit is exceeded."""
    for title, lengths in zip(("file", "function"), sizes(), strict=True):
        print(
            f"lines per {title:<9} median {median(lengths):.0f}, "
            f"90th percentile {np.percentile(lengths, 90):.0f}, longest {max(lengths)}"
        )
    cycle, folders, crowded, words = file_cycle(), folder_cycles(), crowded_folders(), all_uses()
    print(f"import cycles      {int(bool(cycle))} between files: {' > '.join(cycle) or 'none'}")
    print(f"upward imports     {len(folders)} folders: {folders or 'none'}")
    print(f"modules per folder at most {MAX_MODULES}: {crowded or 'no folder has more'}")
    print(f"banned words       {len(words)}")
    return int(bool(cycle or folders or crowded or words))


if __name__ == "__main__":
    sys.exit(main())
