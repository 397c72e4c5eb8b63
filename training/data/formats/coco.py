"""COCO JSON: one file for all images, boxes as x, y, width, height in pixels."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vidan.errors import SourceError

from .dataset import Picture
from .options import OutputDecoding
from .places import ImageFolder, basename, read_text
from .problems import Problems
from .repair import Raw
from .writing import Target

NAN = float("nan")
NO_BOX = (NAN, NAN, NAN, NAN)


def find(path: Path) -> Path | None:
    """The COCO file of a folder (or the file itself), if there is one.

    Raises:
        SourceError: there are several.
    """
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    files = [f for inner in (path, path / "annotations") for f in sorted(inner.glob("*.json"))]
    found = [file for file in files if _looks_right(file)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise SourceError(f"several COCO files in {str(path)!r} ({names}): say which")
    return found[0] if found else None


def _looks_right(file: Path) -> bool:
    """Whether it is an object that names images, by the file alone or else by its content."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return file.name.endswith(".coco.json")  # broken, but meant: reading it says so
    return isinstance(content, dict) and {"images", "categories"} <= content.keys()


def read(path: Path, reading: OutputDecoding) -> tuple[tuple[str, ...] | None, Iterator[Raw]]:
    """Labels in the order of their ids, and what the file says of each image."""
    file = find(path)
    if file is None:
        raise SourceError(f"no COCO file in {str(path)!r}: expected images and annotations in JSON")
    try:
        content = json.loads(read_text(file))
        images, boxes = content["images"], content.get("annotations", [])
        categories = {int(c["id"]): str(c["name"]) for c in _used(content["categories"], boxes)}
        pictures = _pictures(file, path, images, boxes, categories, reading.problems)
        return tuple(dict.fromkeys(categories[number] for number in sorted(categories))), pictures
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise SourceError(f"cannot read COCO file {str(file)!r}: {what}") from error


def _used(
    categories: Sequence[Mapping[str, Any]], boxes: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Without Roboflow's root: a category over the others that has no box itself."""
    over = {c.get("supercategory") for c in categories if c.get("supercategory") != c.get("name")}
    used = {box.get("category_id") for box in boxes}
    return [c for c in categories if c["name"] not in over or c["id"] in used]


def _pictures(
    file: Path,
    path: Path,
    images: Sequence[Mapping[str, Any]],
    boxes: Sequence[Mapping[str, Any]],
    categories: Mapping[int, str],
    problems: Problems,
) -> Iterator[Raw]:
    root = path if path.is_dir() else file.parent
    if root.name == "annotations":
        root = root.parent
    folder = ImageFolder([file.parent, root / "images", root])
    of_image: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for box in boxes:
        of_image[box.get("image_id")].append(box)
    for image in sorted(images, key=lambda image: str(image.get("file_name"))):
        mine = of_image.pop(image.get("id"), [])
        yield _picture(file, image, mine, categories, folder, problems)
    for number, lost in of_image.items():
        text = f"{len(lost)} boxes of image {number!r}, which is not listed"
        problems.repairs(str(file), "unknown picture", text, mendable=False)


def _picture(
    file: Path,
    image: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    categories: Mapping[int, str],
    folder: ImageFolder,
    problems: Problems,
) -> Raw:
    name = str(image.get("file_name", ""))
    raw = Raw(f"{file}: {name}", folder.find(name, file.parent), basename(name))
    width, height = (_side(image.get(key)) for key in ("width", "height"))
    if width > 0 and height > 0:
        raw.declared = (width, height)
    for box in boxes:
        label = categories.get(box.get("category_id", -1))
        if label is None:
            problems.unknown(raw.where, f"category {box.get('category_id')!r} is not listed")
            continue
        raw.labels.append(label)
        raw.corners.append(_corners(box))
        raw.crowd.append(bool(box.get("iscrowd", 0)))
        raw.difficult.append(False)
    return raw


def _side(value: Any) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _corners(box: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Of `bbox`, or around the polygons of `segmentation`."""
    try:
        if box.get("bbox"):
            x, y, width, height = map(float, box["bbox"])
            return x, y, x + width, y + height
        points = [float(value) for polygon in box["segmentation"] for value in polygon]
        return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])
    except (KeyError, ValueError, TypeError):
        return NO_BOX


class Writer:
    """Writes `images/` and `annotations.json`, categories from 1."""

    loses = ("difficult",)

    def __init__(self, target: Target) -> None:
        self._target = target
        self._images: list[dict[str, Any]] = []
        self._boxes: list[dict[str, Any]] = []

    def write(self, picture: Picture) -> None:
        """Write one image; its boxes come on closing."""
        file = self._target.copy(picture, "images")
        number = len(self._images) + 1
        width, height = picture.size
        name = f"images/{file.name}"
        self._images.append({"id": number, "file_name": name, "width": width, "height": height})
        for box, label, crowd in zip(picture.boxes, picture.labels, picture.crowd, strict=True):
            x1, y1, x2, y2 = (round(value, 4) for value in box.tolist())
            sides = [round(x2 - x1, 4), round(y2 - y1, 4)]
            self._boxes.append(
                {
                    "id": len(self._boxes) + 1,
                    "image_id": number,
                    "category_id": self._target.labels.index(label) + 1,
                    "bbox": [x1, y1, *sides],
                    "area": round(sides[0] * sides[1], 4),
                    "iscrowd": int(crowd),
                }
            )

    def close(self) -> None:
        """Write the file."""
        categories = [{"id": n, "name": label} for n, label in enumerate(self._target.labels, 1)]
        content = {
            "images": self._images,
            "annotations": self._boxes,
            "categories": categories,
        }
        path = self._target.folder / "annotations.json"
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
