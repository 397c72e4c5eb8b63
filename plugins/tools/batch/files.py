"""The files of a batch job."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vidan.errors import ConfigError
from vidan.execution.inputs import identity
from vidan.options import expanded, names

KEY = "source.path"

BLOCKS = 2
"""Blocks of a file that its hash depends on, besides its size and the time of the last change."""


class InputFile(NamedTuple):
    """A file, or a folder of images.

    Attributes:
        name: its path from the folder of the pattern, with slashes; unique.
        path: where it is, absolute.
    """

    name: str
    path: Path

    def digest(self) -> str:
        """A hash of size, time of the last change, and the first and last 64 kB of the content.

        Raises:
            OSError: it cannot be read.
        """
        text = json.dumps(identity(self.path, BLOCKS), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def find_files(patterns: Any, run_dir: Path, *, folders: bool = False) -> list[InputFile]:
    """The files that patterns name, in the order of their names.

    Args:
        patterns: a path or a pattern such as `clips/**/*.mp4`, or a list of them.
        run_dir: folder of the outputs, which are left out.
        folders: whether to find folders, as of images, and not files.

    Raises:
        ConfigError: a pattern names nothing.
    """
    given = [str(expanded(pattern)) for pattern in names(KEY, patterns)]
    root = Path(os.path.commonpath([_fixed(pattern) for pattern in given]))
    found: dict[Path, None] = {}
    for pattern in given:
        before = len(found)
        found.update(dict.fromkeys(_matches(pattern, run_dir.absolute(), folders=folders)))
        if len(found) == before:
            what = "folder" if folders else "file"
            raise ConfigError(f"{KEY}={pattern!r}: there is no {what} of this name or pattern")
    files = [InputFile(path.relative_to(root).as_posix(), path) for path in found]
    return sorted(files)


def _fixed(pattern: str) -> Path:
    """The folder of a path, or of the part of a pattern that has no wildcards; absolute."""
    parts = Path(pattern).absolute().parts
    is_path = Path(pattern).exists()
    fixed = list(parts[:-1]) if is_path else _before_wildcards(parts)
    return Path(*fixed)


def _before_wildcards(parts: Sequence[str]) -> list[str]:
    first = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return list(parts[:first])


def _matches(pattern: str, run_dir: Path, *, folders: bool) -> Iterator[Path]:
    paths = [pattern] if Path(pattern).exists() else glob.iglob(pattern, recursive=True)  # noqa: PTH207
    for path in (Path(text).absolute() for text in paths):
        is_wanted = path.is_dir() if folders else path.is_file()
        if is_wanted and not path.is_relative_to(run_dir):
            yield path
