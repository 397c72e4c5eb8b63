"""What identifies the files that a run reads, so that `vidan resume` notices replaced ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import SourceError

KEYS = {"source": ("path",), "detector": ("model", "path", "labels", "features")}
"""Options of components that name files that decide what the recorded detections are."""

BLOCK_BYTES = 1 << 16
BLOCKS = 32
"""Blocks of a file that are read, at equal distances from its beginning to its end."""

SAMPLED_FILES = 64
"""Files of a folder whose contents are read, at equal distances in the order of their names."""

Identity = Mapping[str, Any]
"""Size in bytes, time of the last change in ns since 1970, and SHA-256 of parts of the content."""


def identities(components: Mapping[str, Mapping[str, Any]]) -> dict[str, Identity]:
    """The identity of each file or folder that one of KEYS names, by its key."""
    found: dict[str, Identity] = {}
    for kind, names in KEYS.items():
        for key in names:
            value = components.get(kind, {}).get(key)
            with suppress(OSError, ValueError):  # not a path, or not readable
                if isinstance(value, str) and value and os.path.lexists(value):
                    found[f"{kind}.{key}"] = identity(Path(value))
    return found


def check_same(before: Mapping[str, Any], now: Mapping[str, Identity]) -> None:
    """Check that the files are those that the recorded detections belong to.

    Raises:
        SourceError: one has been replaced, changed or removed.
    """
    for key, identity in before.items():
        if now.get(key) != identity:
            changes = _changes(identity, now.get(key))
            raise SourceError(
                f"{key} is not the file that the interrupted run read ({changes}): put that one "
                "back, or start a new run"
            )


def _changes(before: Any, now: Identity | None) -> str:
    if now is None or not isinstance(before, Mapping):
        return "it is missing"
    changed = [name for name in now if before.get(name) != now[name]]
    return f"other {' and '.join(changed)}"


def identity(path: Path, blocks: int = BLOCKS) -> Identity:
    """The identity of a file or folder.

    Args:
        path: of it.
        blocks: of a file that are read, at least 2.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_dir():
        state = path.stat()
        return {
            "size": state.st_size,
            "time of change": state.st_mtime_ns,
            "content": _digest(_blocks(path, blocks)),
        }
    files = sorted(file for file in path.iterdir() if file.is_file())
    states = [file.stat() for file in files]
    step = max(1, len(files) // SAMPLED_FILES)
    return {
        "number of files": len(files),
        "names, sizes and times": _digest(
            f"{file.name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode(
                "utf-8", "surrogateescape"
            )
            for file, state in zip(files, states, strict=True)
        ),
        "content": _digest(block for file in files[::step] for block in _blocks(file, 2)),
    }


def _blocks(path: Path, count: int) -> Iterator[bytes]:
    """The first and the last bytes of a file, and others between them."""
    with path.open("rb") as file:
        last = max(0, file.seek(0, os.SEEK_END) - BLOCK_BYTES)
        for n in range(count):
            file.seek(last * n // (count - 1))
            yield file.read(BLOCK_BYTES)


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
