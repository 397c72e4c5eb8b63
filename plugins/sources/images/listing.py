"""The image files of a path, their order, and the metadata of a sequence."""

from __future__ import annotations

import glob
import itertools
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vidan.errors import SourceError
from vidan.options import expanded

from ...formats.mot import IMAGES_FOLDER
from ...formats.seqinfo import read_seqinfo

log = logging.getLogger(__name__)

IMAGE_SUFFIX = re.compile(r"\.(avif|bmp|dib|gif|jfif|jp2|jpe|jpe?g|p[bgnp]m|png|tiff?|webp)", re.I)
"""Suffixes of image files."""

OTHER_SUFFIX = re.compile(
    r"\.(arw|cr[23w]|cur|dds|dng|eps|exr|fits?|hdr|hei[cf]s?|hif|icns|ico|j2[ck]|jp[fx]|jpegxl|jxl"
    r"|jxr|nef|orf|pcx|pef|pfm|psd|qoi|raf|ras|raw|rw2|sgi|srw|svgz?|tga|wdp|x3f|xbm|xcf|xpm)",
    re.I,
)
"""Suffixes of image files that OpenCV does not read."""

NO_IMAGES_ADVICE = "choose a folder of images (jpg, png and so on), or set source=file for a video"

MAX_NAMED = 3
"""Number of skipped files that a message names."""


@dataclass(frozen=True)
class ImageListing:
    """Image files and what is known about them.

    Attributes:
        files: frame index and file, in order.
        name: of the folder or sequence.
        rate: frames per second; None if unknown.
        skipped: what is said about images of kinds that are not read; empty if there are none.
    """

    files: tuple[tuple[int, Path], ...]
    name: str
    rate: float | None = None
    skipped: str = ""


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
        raise SourceError(f"there are no images in {path!r}: {listing.skipped or NO_IMAGES_ADVICE}")
    if listing.skipped:
        log.warning("%r: %s", path, listing.skipped)
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
    images, skipped = _images(found)
    name = folder.resolve().name or "images"
    return ImageListing(tuple(enumerate(images)), name, skipped=skipped)


def _images(found: Iterable[Path]) -> tuple[list[Path], str]:
    """Image files in order, and what is said about those of other kinds."""
    visible = [p for p in found if not p.name.startswith(".")]
    images = [p for p in visible if IMAGE_SUFFIX.fullmatch(p.suffix) and p.is_file()]
    others = [p for p in visible if OTHER_SUFFIX.fullmatch(p.suffix) and p.is_file()]
    return sorted(images, key=natural_key), _about_skipped(sorted(others, key=natural_key))


def _about_skipped(files: Sequence[Path]) -> str:
    if not files:
        return ""
    kinds = Counter(file.suffix[1:].lower() for file in files)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    names = ", ".join(file.name for file in files[:MAX_NAMED])
    more = ", …" if len(files) > MAX_NAMED else ""
    return f"images of these kinds are not read: {counts} ({names}{more}); convert them to PNG"


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
    images, skipped = _images(folder.iterdir())
    name = info.get("name") or root.resolve().name
    return ImageListing(_numbered(images), name, _rate(info.get("framerate")), skipped)


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
