"""Pascal VOC: an XML file for each image, boxes in pixels.

Layouts: `images/` (or `JPEGImages/`) beside `annotations/` (any case), or all in one folder,
as Roboflow and LabelImg write it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from vidan.formats import labelmap

from .dataset import Picture
from .options import OutputDecoding
from .places import ImageFolder, basename, find_label_map, read_label_map
from .problems import Problems
from .repair import Raw
from .writing import Target

CORNERS = ("xmin", "ymin", "xmax", "ymax")
NAN = float("nan")


def xml_folder(folder: Path) -> Path | None:
    """The folder that holds the XML files, if there is one."""
    for inner in (folder / "annotations", folder / "Annotations", folder):
        if next(inner.glob("*.xml"), None):
            return inner
    return None


def read(path: Path, reading: OutputDecoding) -> tuple[tuple[str, ...] | None, Iterator[Raw]]:
    """Labels of the label map, if there is one, and what each XML file says."""
    folder = xml_folder(path) or path
    found = reading.label_map or find_label_map([path, folder])
    labels = tuple(item.label for item in read_label_map(found)) if found else None
    return labels, _pictures(path, folder, reading.problems)


def _pictures(path: Path, folder: Path, problems: Problems) -> Iterator[Raw]:
    pictures = ImageFolder([path / "images", path / "JPEGImages", path])
    for file in sorted(folder.glob("*.xml")):
        try:
            root = ElementTree.parse(file).getroot()  # noqa: S314 - the user's own training data
        except (OSError, ElementTree.ParseError, ValueError) as error:
            problems.repairs(str(file), "broken annotation", str(error), mendable=False)
            continue
        if (raw := _picture(file, root, pictures, problems)) is not None:
            yield raw


def _picture(
    file: Path, root: ElementTree.Element, pictures: ImageFolder, problems: Problems
) -> Raw | None:
    name = basename(root.findtext("filename") or root.findtext("path") or "")
    picture = pictures.find(name) or pictures.find(file.stem)
    if picture is not None and picture.path.name != name:
        text = f"{name!r} is not there, {picture.path.name!r} is"
        if not problems.repairs(str(file), "file name", text):
            return None
    raw = Raw(str(file), picture, picture.path.name if picture else name or file.stem)
    sides = [_number(root, f"size/{side}") for side in ("width", "height")]
    raw.declared = (int(sides[0]), int(sides[1])) if all(side > 0 for side in sides) else None
    for item in root.iter("object"):
        raw.labels.append((item.findtext("name") or "").strip())
        x1, y1, x2, y2 = (_number(item, f"bndbox/{corner}") for corner in CORNERS)
        raw.corners.append((x1, y1, x2, y2))
        raw.crowd.append(False)
        raw.difficult.append((item.findtext("difficult") or "0").strip() not in ("0", ""))
    return raw


def _number(element: ElementTree.Element, path: str) -> float:
    try:
        return float(element.findtext(path) or "")
    except ValueError:
        return NAN


class Writer:
    """Writes `images/`, `annotations/*.xml` and `label_map.pbtxt`."""

    loses = ("crowd",)

    def __init__(self, target: Target) -> None:
        self._target = target
        (target.folder / "annotations").mkdir()

    def write(self, picture: Picture) -> None:
        """Write one image and its XML file."""
        file = self._target.copy(picture, "images")
        root = ElementTree.Element("annotation")
        _texts(root, {"folder": "images", "filename": file.name})
        width, height = picture.size
        size = ElementTree.SubElement(root, "size")
        _texts(size, {"width": width, "height": height, "depth": 3})
        for row, label in enumerate(picture.labels):
            if picture.crowd[row]:
                continue
            item = ElementTree.SubElement(root, "object")
            _texts(item, {"name": label, "difficult": int(picture.difficult[row])})
            corners = (_plain(value) for value in picture.boxes[row].tolist())
            box = ElementTree.SubElement(item, "bndbox")
            _texts(box, dict(zip(CORNERS, corners, strict=True)))
        ElementTree.indent(root)
        path = self._target.folder / "annotations" / f"{file.stem}.xml"
        ElementTree.ElementTree(root).write(path, encoding="utf-8")

    def close(self) -> None:
        """Write the label map."""
        text = labelmap.dump_labels(self._target.labels)
        (self._target.folder / "label_map.pbtxt").write_text(text, encoding="utf-8")


def _texts(element: ElementTree.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, name).text = str(value)


def _plain(value: float) -> str:
    """A coordinate to a ten-thousandth of a pixel, whole ones as whole numbers."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
