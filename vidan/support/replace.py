"""Replacing a file as a whole, so that it can be read at any time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Write a file under another name, which gets its own at the end of the block.

    If the block fails, the file stays as it was.

    Args:
        path: of the file; another one there is replaced.

    Yields:
        `<name>.part`, to write to.

    Raises:
        OSError: it cannot be renamed.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
