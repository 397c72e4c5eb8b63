"""A sample: a picture and the boxes in it; the reading of Pascal VOC folders and label maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vidan.errors import SourceError, did_you_mean

from .pictures import Image, PictureFile

FloatArray = npt.NDArray[np.float32]
BACKGROUND, IGNORED = -1, -2  # in place of a class: nothing there, and neither right nor wrong


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One picture and what is in it.

    Attributes:
        path: of the picture, or of the file of records that it lies in.
        boxes: (M,4) float32 xyxy px of the picture.
        classes: (M,) int32, index into the labels; `IGNORED` for what is not to be judged.
        span: where the picture lies in a file of records: offset and size, bytes; None: it is
            the file. The pixels are read when they are asked for, so that memory holds none.
        title: name of the picture if the path has another.
    """

    path: Path
    boxes: FloatArray
    classes: npt.NDArray[np.int32]
    span: tuple[int, int] | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """File name of the picture."""
        return self.title or self.path.name

    def image(self) -> Image:
        """The picture turned upright, (H,W,3) uint8 RGB."""
        return PictureFile(self.path, *(self.span or ())).decode()


def read_label_map(path: Path) -> tuple[str, ...]:
    """Labels of a TF Object Detection API `label_map.pbtxt`, in the order of their ids."""
    from .formats.places import read_label_map as read_items

    items = read_items(path)
    ids = [item.id for item in items]
    if ids != list(range(1, len(ids) + 1)):
        raise SourceError(f"label map {str(path)!r}: ids must be 1, 2, 3 …, got {ids}")
    return tuple(item.label for item in items)


def read_voc(folder: Path, labels: Sequence[str]) -> list[Sample]:
    """All samples of a Pascal VOC folder, sorted by name; `formats.read` reads any format.

    Raises:
        SourceError: there is nothing, or a box has a label that is not among those given.
    """
    from .formats import read

    dataset = read(folder, "voc", one_based=False)
    known = {label for picture in dataset.pictures for label in picture.labels}
    wrong = sorted(known - set(labels))
    if wrong:
        raise SourceError(f"{str(folder)!r}: label {wrong[0]!r}; {did_you_mean(wrong[0], labels)}")
    return [picture.sample(labels) for picture in dataset.pictures]
