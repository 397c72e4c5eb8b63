"""The image files of a path, their order, and the metadata of a sequence."""

from __future__ import annotations

import glob
import itertools
import logging
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidan.errors import SourceError
from vidan.options import expanded

from ...formats.mot import IMAGES_FOLDER, read_seqinfo

log = logging.getLogger(__name__)

IMAGE_SUFFIX = re.compile(r"\.(avif|bmp|dib|gif|jfif|jp2|jpe|jpe?g|p[bgnp]m|png|tiff?|webp)", re.I)
"""Suffixes of image files."""


@dataclass(frozen=True)
class ImageListing:
    """Image files and what is known about them.

    Attributes:
        files: frame index and file, in order.
        name: of the folder or sequence.
        rate: frames per second; None if unknown.
    """

    files: tuple[tuple[int, Path], ...]
    name: str
    rate: float | None = None


def find_images(path: str) -> ImageListing:
    """The images of a folder, a pattern, a file or a MOTChallenge sequence.

    Raises:
        SourceError: the path does not exist, or there are no images.
    """
    root = expanded(path)
    try:
        listing = _find(path, root)
    except OSError as error:
        raise SourceError(f"cannot list {path!r}: {error.strerror}: check the path") from error
    if not listing.files:
        raise SourceError(
            f"there are no images in {path!r}: choose a folder of images (jpg, png and so on), "
            "or set source=file for a video"
        )
    return listing


def _find(path: str, root: Path) -> ImageListing:
    if root.is_dir():
        return _sequence(root) or _in_order(root.iterdir(), root)
    if root.exists():
        return _in_order([root], root.parent)
    if glob.has_magic(path):
        found = glob.glob(str(root), recursive=True)  # noqa: PTH207 - accepts absolute patterns
        return _in_order(map(Path, found), _fixed_part(root))
    raise SourceError(f"there is no folder or image {path!r}: check the path")


def _in_order(found: Iterable[Path], folder: Path) -> ImageListing:
    return ImageListing(tuple(enumerate(_images(found))), folder.resolve().name or "images")


def _images(found: Iterable[Path]) -> list[Path]:
    visible = (p for p in found if not p.name.startswith("."))
    images = (p for p in visible if IMAGE_SUFFIX.fullmatch(p.suffix) and p.is_file())
    return sorted(images, key=natural_key)


def _fixed_part(pattern: Path) -> Path:
    """The folder that contains all matches of a pattern."""
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def _sequence(path: Path) -> ImageListing | None:
    """A MOTChallenge sequence, given by its folder or the folder of its images; or None."""
    root = path.parent if path.name == IMAGES_FOLDER else path
    info = read_seqinfo(root / "seqinfo.ini")
    folder = root / info.get("imdir", IMAGES_FOLDER)
    if path != folder and not folder.is_dir():
        if not info:
            return None
        raise SourceError(
            f"the sequence {str(path)!r} has no images in {folder.name!r}: download them, "
            "or read its video with source=file"
        )
    files = _numbered(_images(folder.iterdir()))
    name = info.get("name") or root.resolve().name
    return ImageListing(files, name, _rate(info.get("framerate")))


def _rate(text: str | None) -> float | None:
    try:
        rate = float(text or 0)
    except ValueError:
        rate = 0.0
    return rate if 0 < rate < math.inf else None


def _numbered(files: Sequence[Path]) -> tuple[tuple[int, Path], ...]:
    """Files with the index that follows from their number: MOTChallenge counts from 1.

    A missing image thus leaves a gap, and later images still match their detections.
    """
    found = [re.search(r"(\d+)$", file.stem) for file in files]
    numbers = [int(match[1]) for match in found if match]
    increasing = all(a < b for a, b in itertools.pairwise(numbers))
    if len(numbers) < len(files) or not increasing or min(numbers, default=1) < 1:
        return tuple(enumerate(files))
    if numbers and (missing := numbers[-1] - len(numbers)):
        log.warning("%d images are missing in %r", missing, str(files[0].parent))
    return tuple((number - 1, file) for number, file in zip(numbers, files, strict=True))


def natural_key(path: Path) -> tuple[list[list[int | str]], str]:
    """Sort key by which `2.jpg` precedes `10.jpg`, folder by folder."""
    # Splitting at digits yields text, number, text, and so on: never text against number.
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    key = [[int(p) if n % 2 else p.casefold() for n, p in enumerate(part)] for part in parts]
    return key, str(path)
