"""Which image files a path means, in which order, and what is known of them as a sequence."""

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

from ...formats.mot import read_seqinfo

log = logging.getLogger(__name__)


SUFFIX = re.compile(r"\.(avif|bmp|dib|gif|jfif|jp2|jpe|jpe?g|p[bgnp]m|png|tiff?|webp)", re.I)
"""Of files that are taken for images."""


IMAGES_FOLDER = "img1"
"""Where a MOTChallenge sequence has its images, unless its seqinfo.ini says otherwise."""


@dataclass(frozen=True)
class Pictures:
    """Image files and what is known of them.

    Attributes:
        files: index of the frame and file, in order.
        name: of the folder or sequence.
        rate: images per second; None if it is not known.
    """

    files: tuple[tuple[int, Path], ...]
    name: str
    rate: float | None = None


def find_images(path: str) -> Pictures:
    """The images that a folder, a pattern, a file or a MOTChallenge sequence holds.

    Raises:
        SourceError: there is no such path, or there are no images.
    """
    place = Path(path).expanduser()
    try:
        pictures = _find(path, place)
    except OSError as error:
        raise SourceError(f"cannot look into {path!r}: {error.strerror}: check it") from error
    if not pictures.files:
        raise SourceError(
            f"there are no pictures in {path!r}: choose a folder of them (jpg, png and so on), "
            "or say source=file for a video"
        )
    return pictures


def _find(path: str, place: Path) -> Pictures:
    if place.is_dir():
        return _sequence(place) or _in_order(place.iterdir(), place)
    if place.exists():
        return _in_order([place], place.parent)
    if glob.has_magic(path):
        found = glob.glob(str(place), recursive=True)  # noqa: PTH207 - takes absolute patterns too
        return _in_order(map(Path, found), _fixed_part(place))
    raise SourceError(f"there is no folder or picture {path!r}: check source.path")


def _in_order(found: Iterable[Path], folder: Path) -> Pictures:
    return Pictures(tuple(enumerate(_pictures(found))), folder.resolve().name or "images")


def _pictures(found: Iterable[Path]) -> list[Path]:
    seen = (path for path in found if not path.name.startswith("."))
    return sorted((p for p in seen if SUFFIX.fullmatch(p.suffix) and p.is_file()), key=natural)


def _fixed_part(pattern: Path) -> Path:
    """The folder that all matches are in."""
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def _sequence(place: Path) -> Pictures | None:
    """A MOTChallenge sequence, of its folder or the folder of its images; or None."""
    root = place.parent if place.name == IMAGES_FOLDER else place
    info = read_seqinfo(root / "seqinfo.ini")
    folder = root / info.get("imdir", IMAGES_FOLDER)
    if place != folder and not folder.is_dir():
        if not info:
            return None
        raise SourceError(
            f"the sequence {str(place)!r} has no pictures in {folder.name!r}: get them, "
            "or take its video by source=file"
        )
    files = _numbered(_pictures(folder.iterdir()))
    return Pictures(files, info.get("name") or root.resolve().name, _rate(info.get("framerate")))


def _rate(text: str | None) -> float | None:
    try:
        rate = float(text or 0)
    except ValueError:
        rate = 0.0
    return rate if 0 < rate < math.inf else None


def _numbered(files: Sequence[Path]) -> tuple[tuple[int, Path], ...]:
    """Files with the index that their number means: MOTChallenge counts from 1.

    A missing image thus leaves a gap, and those behind it stay with their detections.
    """
    found = [re.search(r"(\d+)$", file.stem) for file in files]
    numbers = [int(match[1]) for match in found if match]
    rising = all(a < b for a, b in itertools.pairwise(numbers))
    if len(numbers) < len(files) or not rising or min(numbers, default=1) < 1:
        return tuple(enumerate(files))
    if numbers and (missing := numbers[-1] - len(numbers)):
        log.warning("%d pictures of %r are missing", missing, str(files[0].parent))
    return tuple((number - 1, file) for number, file in zip(numbers, files, strict=True))


def natural(path: Path) -> tuple[list[list[int | str]], str]:
    """Sort key by which `2.jpg` comes before `10.jpg`, folder by folder."""
    # Splitting at digits gives text, number, text, and so on: never text against number.
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    key = [[int(p) if n % 2 else p.casefold() for n, p in enumerate(part)] for part in parts]
    return key, str(path)
