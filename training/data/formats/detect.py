"""Detection of the format of a data set."""

from __future__ import annotations

from pathlib import Path

from vidan.errors import SourceError
from vidan.options import choice

from . import coco, records, voc, yolo

AUTO = "auto"
FORMATS = ("tfrecord", "voc", "coco", "yolo")
SPLITS = ("train", "training", "valid", "val", "validation", "test")
"""Subfolders that Roboflow and Ultralytics divide a data set into."""


def detect(path: Path, given: str = AUTO) -> str:
    """Return the format of a data set.

    Args:
        path: folder, file or pattern.
        given: a format, or `auto` to detect it.

    Raises:
        ConfigError: the given format does not exist.
        SourceError: the path does not exist or its format is unknown.
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
    """List the data sets of a path: itself, or its subfolders `train`, `valid`, `test` etc.

    A `data.yaml` stands for the folders that it names.
    """
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return _folders_of_yaml(path)
    if not path.is_dir():
        return [path]
    if _detect(path) is not None:
        return [path]
    parts = [path / name for name in SPLITS if (path / name).is_dir()]
    return [part for part in parts if given != AUTO or _detect(part)] or [path]


def _folders_of_yaml(file: Path) -> list[Path]:
    """Folders of a `data.yaml`: each entry names an image folder next to a `labels` folder."""
    content = yolo.read_yaml(file)
    root = file.parent / str(content.get("path") or "")
    folders: list[Path] = []
    for key in ("train", "val", "test"):
        entries = content.get(key) or ()
        for entry in [entries] if isinstance(entries, str) else entries:
            # Roboflow writes ../train/images although train is next to the file.
            candidates = [root / entry, file.parent / entry, file.parent / str(entry).lstrip("./")]
            folder = next((path for path in candidates if path.is_dir()), None)
            if folder is not None:
                folders.append(folder.parent if folder.name == "images" else folder)
    if not folders:
        raise SourceError(f"{str(file)!r} names no existing folder (train, val or test)")
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
        return "tfrecord" if records.record_files(path) else None
    except SourceError:
        return None
