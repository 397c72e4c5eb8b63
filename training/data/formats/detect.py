"""Which format a folder or file has."""

from __future__ import annotations

from pathlib import Path

from vidan.errors import SourceError
from vidan.options import choice

from . import coco, records, voc, yolo

AUTO = "auto"
FORMATS = ("tfrecord", "voc", "coco", "yolo")
SPLITS = ("train", "training", "valid", "val", "validation", "test")
"""Folders that a data set is divided into: Roboflow's and Ultralytics' names."""


def detect(path: Path, given: str = AUTO) -> str:
    """The format of a data set.

    Args:
        path: folder, file or pattern.
        given: a format, or `auto` to look.

    Raises:
        ConfigError: there is no such format.
        SourceError: it is none that is known, or there is nothing.
    """
    if choice("format", given, (AUTO, *FORMATS)) != AUTO:
        return given
    found = _detect(path)
    if found is None:
        exists = path.exists()
        why = "expected TFRecords, Pascal VOC, COCO or YOLO" if exists else "no such file or folder"
        raise SourceError(f"no data set in {str(path)!r}: {why}")
    return found


def expand(path: Path, given: str = AUTO) -> list[Path]:
    """The data sets in a folder: itself, or its parts `train`, `valid`, `test` and so on.

    A `data.yaml` stands for the folders that it names.
    """
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return _named(path)
    if not path.is_dir():
        return [path]
    if _detect(path) is not None:
        return [path]
    parts = [path / name for name in SPLITS if (path / name).is_dir()]
    return [part for part in parts if given != AUTO or _detect(part)] or [path]


def _named(file: Path) -> list[Path]:
    """The folders of a `data.yaml`: each entry names images, in a folder beside `labels`."""
    content = yolo.read_yaml(file)
    root = file.parent / str(content.get("path") or "")
    folders: list[Path] = []
    for key in ("train", "val", "test"):
        entries = content.get(key) or ()
        for entry in [entries] if isinstance(entries, str) else entries:
            # Roboflow writes ../train/images, though train lies beside the file.
            places = [root / entry, file.parent / entry, file.parent / str(entry).lstrip("./")]
            place = next((place for place in places if place.is_dir()), None)
            if place is not None:
                folders.append(place.parent if place.name == "images" else place)
    if not folders:
        raise SourceError(f"{str(file)!r} names no folder that is there (train, val or test)")
    return list(dict.fromkeys(folders))


def _detect(path: Path) -> str | None:
    if not path.is_dir():
        return _detect_file(path)
    if any(records.is_record_file(file) for file in path.iterdir()):
        return "tfrecord"
    if voc.xml_folder(path):
        return "voc"
    if coco.find(path):
        return "coco"
    labeled = path / "labels" if (path / "labels").is_dir() else path
    texts = [f for f in labeled.rglob("*.txt") if f.name not in yolo.NAME_FILES]
    return "yolo" if texts and yolo.names_file(path) else None


def _detect_file(path: Path) -> str | None:
    if path.is_file() and path.suffix.lower() == ".json":
        return "coco"
    if path.is_file() and path.suffix.lower() in (".yaml", ".yml"):
        return "yolo"
    try:
        return "tfrecord" if records.files_of(path) else None
    except SourceError:
        return None
