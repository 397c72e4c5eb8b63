"""COCO JSON: one file for all images, boxes as x, y, width, height in pixels.

An annotation may have a `score` in (0,1], as detections in COCO's result format do: the weight of
the box in training.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vidan.errors import SourceError

from .dataset import AnnotatedImage
from .issues import IssueLog
from .options import ReadOptions
from .paths import ImageIndex, basename, read_text
from .repair import RawAnnotation
from .writing import OutputFolder

NAN = float("nan")
NO_BOX = (NAN, NAN, NAN, NAN)

DAMAGED = (LookupError, TypeError, ValueError, OverflowError, AttributeError, RecursionError)
"""What reading values of other kinds raises."""

MAX_SIDE = 10**9
"""Of an image, px."""


def find(path: Path) -> Path | None:
    """The COCO file of a folder (or the file itself), if there is one.

    Raises:
        SourceError: there are several.
    """
    if path.is_file():
        return path if path.suffix.lower() == ".json" else None
    files = [f for inner in (path, path / "annotations") for f in sorted(inner.glob("*.json"))]
    found = [file for file in files if _is_coco(file)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise SourceError(f"several COCO files in {str(path)!r} ({names}): name one of them")
    return found[0] if found else None


def _is_coco(file: Path) -> bool:
    """Whether a JSON file contains images and categories; by its name if it is broken."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return file.name.endswith(".coco.json")  # reading it will report what is broken
    return isinstance(content, dict) and {"images", "categories"} <= content.keys()


def read(
    path: Path, options: ReadOptions
) -> tuple[tuple[str, ...] | None, Iterator[RawAnnotation]]:
    """Read the labels in the order of their ids, and the annotation of each image."""
    file = find(path)
    if file is None:
        raise SourceError(f"no COCO file in {str(path)!r}: expected images and annotations in JSON")
    try:
        content = json.loads(read_text(file))
        images, boxes = content["images"], content.get("annotations", [])
        used = _used_categories(content["categories"], boxes)
        categories = _categories(file, used, options.issues)
        images = _images(file, images, options.issues)
        by_image: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
        for box in boxes:
            by_image[box.get("image_id")].append(box)
        annotations = _annotations(file, path, images, by_image, categories, options.issues)
        labels = tuple(dict.fromkeys(categories[number] for number in sorted(categories)))
    except DAMAGED as error:
        what = f"{type(error).__name__}: {error}"
        raise SourceError(f"cannot read COCO file {str(file)!r}: {what}") from error
    return labels, annotations


def _used_categories(
    categories: Sequence[Mapping[str, Any]], boxes: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The categories without Roboflow's root: a supercategory that has no boxes of its own."""
    parents = {
        c.get("supercategory") for c in categories if c.get("supercategory") != c.get("name")
    }
    used = {box.get("category_id") for box in boxes}
    return [c for c in categories if c["name"] not in parents or c["id"] in used]


def _categories(
    file: Path, categories: Iterable[Mapping[str, Any]], issues: IssueLog
) -> dict[int, str]:
    """The names of the categories by id, without ids that have several names."""
    names: dict[int, list[str]] = defaultdict(list)
    for category in categories:
        names[int(category["id"])].append(str(category["name"]).strip())
    kept = _unique(file, "category", names, issues)
    return {number: kept[number] for number in names if number in kept}


def _images(
    file: Path, images: Sequence[Mapping[str, Any]], issues: IssueLog
) -> list[Mapping[str, Any]]:
    """The images without those whose ids several files have: nobody knows whose boxes are whose."""
    names: dict[Any, list[str]] = defaultdict(list)
    entries: dict[Any, Mapping[str, Any]] = {}
    for image in images:
        names[image.get("id")].append(str(image.get("file_name")))
        entries.setdefault(image.get("id"), image)
    return [entries[number] for number in _unique(file, "image", names, issues)]


def _unique(
    file: Path, what: str, names: Mapping[Any, Sequence[str]], issues: IssueLog
) -> dict[Any, str]:
    """The name of each id, without ids that have several names.

    Raises:
        SourceError: there are such ids, and they are not left out on request.
    """
    found = {}
    for number, given in names.items():
        different = list(dict.fromkeys(given))
        if len(different) > 1:
            text = f"{what} id {number!r} stands for {' and '.join(map(repr, different))}"
            issues.report_serious(str(file), "duplicate id", text)
            continue
        if len(given) > 1:
            text = f"{what} {different[0]!r} is listed {len(given)} times with id {number!r}"
            issues.note(str(file), "duplicate id", text)
        found[number] = different[0]
    return found


def _annotations(
    file: Path,
    path: Path,
    images: Sequence[Mapping[str, Any]],
    by_image: dict[Any, list[Mapping[str, Any]]],
    categories: Mapping[int, str],
    issues: IssueLog,
) -> Iterator[RawAnnotation]:
    root = path if path.is_dir() else file.parent
    if root.name == "annotations":
        root = root.parent
    index = ImageIndex([file.parent, root / "images", root])
    for image in sorted(images, key=lambda image: str(image.get("file_name"))):
        own = by_image.pop(image.get("id"), [])
        yield _annotation(file, image, own, categories, index, issues)
    for number, lost in by_image.items():
        text = f"{len(lost)} boxes of image {number!r}, which is not listed"
        issues.report(str(file), "unknown image", text, repairable=False)


def _annotation(
    file: Path,
    image: Mapping[str, Any],
    boxes: Sequence[Mapping[str, Any]],
    categories: Mapping[int, str],
    index: ImageIndex,
    issues: IssueLog,
) -> RawAnnotation:
    name = str(image.get("file_name", ""))
    raw = RawAnnotation(f"{file}: {name}", index.find(name, file.parent), basename(name))
    width, height = (_side(image.get(key)) for key in ("width", "height"))
    if width > 0 and height > 0:
        raw.declared_size = (width, height)
    for box in boxes:
        label = categories.get(box.get("category_id", -1))
        if label is None:
            text = f"category {box.get('category_id')!r} is not listed"
            issues.report_unknown_label(raw.location, text)
            continue
        raw.labels.append(label)
        raw.corners.append(_corners(box))
        raw.crowd.append(bool(box.get("iscrowd", 0)))
        raw.difficult.append(False)
        raw.weights.append(_weight(box, raw.location, issues))
    return raw


def _weight(box: Mapping[str, Any], location: str, issues: IssueLog) -> float:
    """The `score` of an annotation, or 1; out of range it is an issue."""
    score = box.get("score", 1.0)
    if isinstance(score, int | float) and 0 < score <= 1:
        return float(score)
    issues.note(location, "score", f"score {score!r}, expected a number in (0,1]: 1 is used")
    return 1.0


def _side(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < MAX_SIDE else 0


def _corners(box: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Corners of `bbox`, or around the polygons of `segmentation`."""
    try:
        if box.get("bbox"):
            x, y, width, height = map(float, box["bbox"])
            return x, y, x + width, y + height
        points = [float(value) for polygon in box["segmentation"] for value in polygon]
        return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])
    except (KeyError, ValueError, TypeError, OverflowError):
        return NO_BOX


class CocoWriter:
    """Writes `images/` and `annotations.json`, with category ids from 1."""

    unsupported = ("difficult",)

    def __init__(self, output: OutputFolder) -> None:
        self._output = output
        self._images: list[dict[str, Any]] = []
        self._boxes: list[dict[str, Any]] = []

    def write(self, image: AnnotatedImage) -> None:
        """Write one image; its boxes are written on closing."""
        file = self._output.copy_image(image, "images")
        number = len(self._images) + 1
        width, height = image.size
        name = f"images/{file.name}"
        self._images.append({"id": number, "file_name": name, "width": width, "height": height})
        rows = zip(image.boxes, image.labels, image.crowd, image.weights, strict=True)
        for box, label, crowd, weight in rows:
            x1, y1, x2, y2 = (round(value, 4) for value in box.tolist())
            sides = [round(x2 - x1, 4), round(y2 - y1, 4)]
            self._boxes.append(
                {
                    "id": len(self._boxes) + 1,
                    "image_id": number,
                    "category_id": self._output.labels.index(label) + 1,
                    "bbox": [x1, y1, *sides],
                    "area": round(sides[0] * sides[1], 4),
                    "iscrowd": int(crowd),
                    **({} if weight == 1 else {"score": round(float(weight), 4)}),
                }
            )

    def close(self) -> None:
        """Write the JSON file."""
        categories = [{"id": n, "name": label} for n, label in enumerate(self._output.labels, 1)]
        content = {
            "images": self._images,
            "annotations": self._boxes,
            "categories": categories,
        }
        path = self._output.folder / "annotations.json"
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
