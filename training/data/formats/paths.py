"""Lookup of images by name, annotation files and label maps."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath

from vidan.errors import SourceError
from vidan.formats import labelmap
from vidan.formats.textproto import TextProtoError

from ..image_files import SUFFIXES, ImageFile

OTHER_SUFFIX = re.compile(r"\.[A-Za-z]\w{0,4}$")
"""What may be the suffix of another kind of image; not the end of `2024.01.05`."""


def basename(name: str) -> str:
    r"""Return the last part of a POSIX or Windows path.

    >>> basename(r"C:\\photos\\a.jpg"), basename("train/b.jpg")
    ('a.jpg', 'b.jpg')
    """
    return PureWindowsPath(name.strip()).name  # accepts both kinds of slash


def split_suffix(name: str) -> tuple[str, str]:
    """The stem of a file name and the suffix of an image, which is empty if it has none.

    >>> split_suffix("a.b.JPG"), split_suffix("2024.01.05")
    (('a.b', '.JPG'), ('2024.01.05', ''))
    """
    suffix = Path(name).suffix
    is_image = suffix.lower() in SUFFIXES
    return (name.removesuffix(suffix), suffix) if is_image else (name, "")


class ImageIndex:
    """Index of the images under some folders, for tolerant lookup by name.

    Unicode normalization, case and wrong suffixes do not matter.

    Args:
        folders: searched recursively; those that do not exist are skipped.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.files: list[Path] = []
        for folder in dict.fromkeys(folders):
            if folder.is_dir():
                self.files += sorted(f for f in folder.rglob("*") if f.suffix.lower() in SUFFIXES)
        self._by_path = {_normalized(f.as_posix()): f for f in reversed(self.files)}
        self._by_name: dict[str, list[Path]] = {}
        for file in self.files:
            self._by_name.setdefault(_normalized(file.name), []).append(file)
        self._by_stem = {_normalized(f.stem): f for f in reversed(self.files)}

    def find(self, name: str, folder: Path | None = None) -> ImageFile | None:
        """Find an image by name.

        Of several, prefer the one at that path below `folder`, then the one in the same folders,
        as `images/day1/a.jpg` for `day1/a.jpg`.
        """
        if not name:
            return None
        if folder is not None:
            path = folder / name.replace("\\", "/")
            if found := self._by_path.get(_normalized(path.as_posix())):
                return ImageFile(found)
        last = _normalized(basename(name))
        parts = _parts(name)
        same = max(
            self._by_name.get(last, ()), key=lambda f: _alike(_parts(str(f)), parts), default=None
        )
        found = same or self._by_stem.get(last)
        found = found or self._by_stem.get(_normalized(OTHER_SUFFIX.sub("", basename(name))))
        return ImageFile(found) if found else None

    def with_stem(self, stem: str) -> ImageFile | None:
        """Find an image by its name without the suffix."""
        found = self._by_stem.get(_normalized(stem))
        return ImageFile(found) if found else None


def _parts(path: str) -> list[str]:
    """Folders and name of a file, normalized, from the last."""
    return [_normalized(part) for part in reversed(PureWindowsPath(path.strip()).parts)]


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """How many parts of two paths are the same, from the last."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _normalized(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def read_text(path: Path) -> str:
    """Read an annotation file as text.

    Raises:
        SourceError: the file cannot be read or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"cannot read {str(path)!r}: it is not UTF-8 text") from error


def read_label_map(path: Path) -> list[labelmap.Item]:
    """Read the items of a label map.

    Raises:
        SourceError: the file cannot be read or is not well formed.
    """
    try:
        items = labelmap.parse(read_text(path))
    except TextProtoError as error:
        raise SourceError(f"{path}:{error.line}: not a label map: {error}") from error
    if not items:
        raise SourceError(f"label map {str(path)!r} contains no labels")
    return items


def find_label_map(folders: Sequence[Path]) -> Path | None:
    """Find the label map of the first folder that has one.

    Raises:
        SourceError: there are several, and none is called `label_map.pbtxt`.
    """
    for folder in folders:
        found = sorted(folder.glob("*.pbtxt"))
        standard = folder / "label_map.pbtxt"
        if standard in found or len(found) == 1:
            return standard if standard in found else found[0]
        if found:
            names = ", ".join(file.name for file in found)
            raise SourceError(
                f"several label maps in {str(folder)!r} ({names}): set label_map=<file>"
            )
    return None
