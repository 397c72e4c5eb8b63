"""What writers share: a folder that is there whole or not at all, and images under free names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from vidan.errors import SinkError

from .dataset import Picture
from .places import basename


@dataclass(slots=True)
class Target:
    """Where a data set is written.

    Attributes:
        folder: an empty folder.
        labels: of the data set.
        images: how many there will be.
        shards: of TFRecords; 0: as many as their number asks for.
    """

    folder: Path
    labels: Sequence[str]
    pictures: int
    shards: int = 0
    _taken: set[str] = field(default_factory=set)

    def name(self, picture: Picture) -> str:
        """A file name for the image that no other has: also without its suffix."""
        name = Path(basename(picture.name) or "picture.jpg")
        stem, number = name.stem, 1
        while stem.casefold() in self._taken:
            number += 1
            stem = f"{name.stem}_{number}"
        self._taken.add(stem.casefold())
        return stem + name.suffix

    def copy(self, picture: Picture, folder: str) -> Path:
        """Write the image's bytes, as they are, into an inner folder."""
        path = self.folder / folder / self.name(picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture.file.read())
        return path


@contextmanager
def whole(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes its name only when all went well.

    Raises:
        SinkError: something is there already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SinkError(f"{str(folder)!r} is there already: remove it, or choose another folder")
    part = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        what = error.strerror or str(error)
        raise SinkError(f"cannot write {str(folder)!r}: {what}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
