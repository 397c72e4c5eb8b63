"""Pictures with boxes, from Pascal VOC folders; label maps."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vidan import labelmap
from vidan.errors import SourceError, did_you_mean
from vidan.textproto import TextProtoError

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
BACKGROUND, IGNORED = -1, -2  # in place of a class: nothing there, and neither right nor wrong


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture and what is in it.

    Attributes:
        path: of the picture.
        boxes: (M,4) float32 xyxy px of the picture.
        classes: (M,) int32, index into the labels.
    """

    path: Path
    boxes: FloatArray
    classes: npt.NDArray[np.int32]

    def image(self) -> Image:
        """The picture, (H,W,3) uint8 RGB."""
        # Through a buffer: cv2.imread only warns about what it cannot read, and not always.
        data = np.fromfile(self.path, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB) if data.size else None
        if image is None:
            raise SourceError(f"cannot read picture {str(self.path)!r}: repair or remove it")
        return np.asarray(image, np.uint8)


def read_label_map(path: Path) -> tuple[str, ...]:
    """Labels of a TF Object Detection API `label_map.pbtxt`, in the order of their ids."""
    try:
        items = labelmap.parse(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SourceError(f"cannot read label map {str(path)!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"label map {str(path)!r} is not UTF-8 text") from error
    except TextProtoError as error:
        raise SourceError(f"{path}:{error.line}: not a label map: {error}") from error
    ids = [item.id for item in items]
    if ids != list(range(1, len(ids) + 1)) or not ids:
        raise SourceError(f"label map {str(path)!r}: ids must be 1, 2, 3 …, got {ids}")
    return tuple(item.label for item in items)


def read_voc(folder: Path, labels: Sequence[str]) -> list[Sample]:
    """All samples of a folder with `images/` and `annotations/*.xml`, sorted by name."""
    files = sorted((folder / "annotations").glob("*.xml"))
    if not files:
        raise SourceError(
            f"no Pascal VOC data in {str(folder)!r}: expected images/ and annotations/*.xml"
        )
    return [read_voc_file(file, folder / "images", labels) for file in files]


def read_voc_file(file: Path, images: Path, labels: Sequence[str]) -> Sample:
    """One annotation file. Boxes are cut at the border of the picture."""
    try:
        root = ElementTree.parse(file).getroot()  # noqa: S314 - the user's own training data
    except (OSError, ElementTree.ParseError) as error:
        raise SourceError(f"cannot read annotation {str(file)!r}: {error}") from error
    width, height = (_number(root, f"size/{side}", file) for side in ("width", "height"))
    boxes, classes = [], []
    for item in root.iter("object"):
        name = item.findtext("name", "")
        if name not in labels:
            raise SourceError(f"{str(file)!r}: label {name!r}; {did_you_mean(name, labels)}")
        corners = (_number(item, f"bndbox/{k}", file) for k in ("xmin", "ymin", "xmax", "ymax"))
        box = np.clip(list(corners), 0, [width, height, width, height])
        if box[2] <= box[0] or box[3] <= box[1]:
            raise SourceError(f"{str(file)!r}: empty box {box.tolist()!r} in {width}x{height}")
        boxes.append(box)
        classes.append(labels.index(name))
    picture = images / root.findtext("filename", "")
    if not picture.is_file():
        raise SourceError(f"{str(file)!r}: there is no picture {str(picture)!r}")
    return Sample(
        picture,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(classes, np.int32),
    )


def _number(element: ElementTree.Element, path: str, file: Path) -> float:
    text = element.findtext(path, "")
    try:
        return float(text)
    except ValueError:
        raise SourceError(f"{str(file)!r}: {path} is {text!r}, not a number") from None
