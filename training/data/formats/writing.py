"""Shared by all writers: an output folder that appears complete or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vidan.errors import SinkError

from .dataset import AnnotatedImage
from .paths import basename, split_suffix

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
"""Not allowed in file names, or confusing there."""


@dataclass(slots=True)
class OutputFolder:
    """Folder that a data set is written to.

    Attributes:
        folder: an empty folder.
        labels: labels of the data set.
        image_count: number of images that will be written.
        shards: number of TFRecord shards; 0 chooses by the number of images.
    """

    folder: Path
    labels: Sequence[str]
    image_count: int
    shards: int = 0
    _used_stems: set[str] = field(default_factory=set)

    def unique_name(self, image: AnnotatedImage) -> str:
        """A file name for the image whose stem is not in use yet, and that readers recognize.

        A name without the suffix of an image, as records may have it, gets that of its format.
        """
        base, suffix = split_suffix(CONTROL_CHARACTERS.sub("_", basename(image.name)) or "image")
        suffix = suffix or image.file.header().suffix
        stem, number = base, 1
        while stem.casefold() in self._used_stems:
            number += 1
            stem = f"{base}_{number}"
        self._used_stems.add(stem.casefold())
        return stem + suffix

    def copy_image(self, image: AnnotatedImage, subfolder: str) -> Path:
        """Copy the encoded image into a subfolder, under a unique name."""
        path = self.folder / subfolder / self.unique_name(image)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image.file.read())
        return path


class DatasetWriter(Protocol):
    """Writes a data set in one format, made with an `OutputFolder`."""

    @property
    def unsupported(self) -> tuple[str, ...]:
        """Properties of a box (`crowd`, `difficult`, `weights`) that the format cannot express."""

    def write(self, image: AnnotatedImage) -> None:
        """Write one image."""

    def close(self) -> None:
        """Write whatever describes the data set as a whole."""


def check_new(folder: Path) -> None:
    """Check that a data set can be written to a folder, before it is made.

    Raises:
        SinkError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SinkError(f"{str(folder)!r} already exists: remove it, or choose another folder")


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `folder` when everything went well.

    Raises:
        SinkError: the folder exists and is not empty, or cannot be written.
    """
    check_new(folder)
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
