"""Pascal VOC: an XML file for each image, boxes in pixels.

Layouts: `images/` (or `JPEGImages/`) next to `annotations/` (any case), or everything in one
folder, as Roboflow and LabelImg write it. An annotation belongs to the image with its own name, and
only without such an image to the one that it names. XML namespaces are ignored.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from vidan.formats import labelmap

from ..image_files import ImageFile
from .dataset import AnnotatedImage
from .issues import IssueLog
from .options import ReadOptions
from .paths import ImageIndex, basename, find_label_map, read_label_map, split_suffix
from .repair import RawAnnotation
from .writing import OutputFolder

CORNERS = ("xmin", "ymin", "xmax", "ymax")
NAN = float("nan")


def xml_folder(folder: Path) -> Path | None:
    """The folder that contains the XML files, if there is one."""
    for inner in (folder / "annotations", folder / "Annotations", folder):
        if next(inner.glob("*.xml"), None):
            return inner
    return None


def read(
    path: Path, options: ReadOptions
) -> tuple[tuple[str, ...] | None, Iterator[RawAnnotation]]:
    """Read the labels of the label map, if there is one, and the annotation of each XML file."""
    folder = xml_folder(path) or path
    found = options.label_map or find_label_map([path, folder])
    labels = tuple(item.label for item in read_label_map(found)) if found else None
    return labels, _annotations(path, folder, options.issues)


def _annotations(path: Path, folder: Path, issues: IssueLog) -> Iterator[RawAnnotation]:
    images = ImageIndex([path / "images", path / "JPEGImages", path])
    alone = dict.fromkeys(images.files)
    for file in sorted(folder.glob("*.xml")):
        try:
            root = _parse(file)
        except (OSError, ElementTree.ParseError, ValueError) as error:
            issues.report(str(file), "broken annotation", str(error), repairable=False)
            continue
        name = basename(root.findtext("filename") or root.findtext("path") or "")
        image = _image(file, name, images)
        if image is not None:
            alone.pop(image.path, None)
            if image.path.name != name and not _report_name(file, name, image, images, issues):
                continue
        yield _annotation(file, root, name, image)
    for path in alone:
        text = f"{folder.name!r} has no XML file for it"
        issues.report(str(path), "no annotation", text, repairable=False)


def _parse(file: Path) -> ElementTree.Element:
    root = ElementTree.parse(file).getroot()  # noqa: S314 - the user's own training data
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # `{namespace}tag`
    return root


def _image(file: Path, name: str, images: ImageIndex) -> ImageFile | None:
    """The image of an annotation: files are renamed more often than what they contain."""
    named = images.find(name, file.parent)
    if split_suffix(name)[0] == file.stem and named is not None:
        return named
    return images.with_stem(file.stem) or named or images.find(file.stem)


def _report_name(
    file: Path, name: str, image: ImageFile, images: ImageIndex, issues: IssueLog
) -> bool:
    """Report that an annotation names another image; return whether to use `image`."""
    exists = images.find(name) not in (None, image)
    text = f"{name!r} is named, {image.path.name!r} has the name of the annotation"
    if not exists:
        text = f"{name!r} does not exist, {image.path.name!r} does"
    return issues.report(str(file), "file name", text)


def _annotation(
    file: Path, root: ElementTree.Element, name: str, image: ImageFile | None
) -> RawAnnotation:
    raw = RawAnnotation(str(file), image, image.path.name if image else name or file.stem)
    sides = [_number(root, f"size/{side}") for side in ("width", "height")]
    raw.declared_size = (int(sides[0]), int(sides[1])) if all(side > 0 for side in sides) else None
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


class VocWriter:
    """Writes `images/`, `annotations/*.xml` and `label_map.pbtxt`."""

    unsupported = ("crowd", "weights")

    def __init__(self, output: OutputFolder) -> None:
        self._output = output
        (output.folder / "annotations").mkdir()

    def write(self, image: AnnotatedImage) -> None:
        """Write one image and its XML file."""
        file = self._output.copy_image(image, "images")
        root = ElementTree.Element("annotation")
        _add_texts(root, {"folder": "images", "filename": file.name})
        width, height = image.size
        size = ElementTree.SubElement(root, "size")
        _add_texts(size, {"width": width, "height": height, "depth": 3})
        for row, label in enumerate(image.labels):
            if image.crowd[row]:
                continue
            item = ElementTree.SubElement(root, "object")
            _add_texts(item, {"name": label, "difficult": int(image.difficult[row])})
            corners = (_format_coordinate(value) for value in image.boxes[row].tolist())
            box = ElementTree.SubElement(item, "bndbox")
            _add_texts(box, dict(zip(CORNERS, corners, strict=True)))
        ElementTree.indent(root)
        path = self._output.folder / "annotations" / f"{file.stem}.xml"
        ElementTree.ElementTree(root).write(path, encoding="utf-8")

    def close(self) -> None:
        """Write the label map."""
        text = labelmap.dump_labels(self._output.labels)
        (self._output.folder / "label_map.pbtxt").write_text(text, encoding="utf-8")


def _add_texts(element: ElementTree.Element, values: dict[str, object]) -> None:
    for name, value in values.items():
        ElementTree.SubElement(element, name).text = str(value)


def _format_coordinate(value: float) -> str:
    """A coordinate with at most four decimals, whole numbers without any."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
