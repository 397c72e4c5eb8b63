"""The format-independent data set that all readers produce and all writers take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, did_you_mean
from vidan.labels import Rename, Renaming

from ...arrays import BoolArray
from ..image_files import ImageFile
from ..sample import IGNORED, Sample
from .issues import Issue

Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedImage:
    """An image and its boxes.

    Attributes:
        file: the encoded image.
        name: file name without folders, also of an image in a TFRecord.
        size: width and height of the upright image, px.
        boxes: (M,4) float64 xyxy, px of the upright image, inside it.
        labels: labels of the M boxes.
        crowd: (M,) regions of many objects, neither right nor wrong to find.
        difficult: (M,) marked as hard to recognize.
        weights: (M,) float64, how much each box counts in training, above 0; 1 unless the data
            says otherwise.
        location: file, line or record of the annotation, for messages.
    """

    file: ImageFile
    name: str
    size: tuple[int, int]
    boxes: Boxes
    labels: tuple[str, ...]
    crowd: BoolArray
    difficult: BoolArray
    weights: npt.NDArray[np.float64]
    location: str = ""

    def select_boxes(self, rows: npt.NDArray[np.intp], labels: Sequence[str]) -> AnnotatedImage:
        """The image with the boxes of some rows (K,), under K new labels."""
        return replace(
            self,
            boxes=self.boxes[rows],
            labels=tuple(labels),
            crowd=self.crowd[rows],
            difficult=self.difficult[rows],
            weights=self.weights[rows],
        )

    def sample(self, labels: Sequence[str]) -> Sample:
        """The image as a training sample; crowds become `IGNORED`."""
        classes = np.array([labels.index(label) for label in self.labels], np.int32)
        classes[self.crowd] = IGNORED
        file = self.file
        span = None if file.length is None else (file.offset, file.length)
        boxes, weights = self.boxes.astype(np.float32), self.weights.astype(np.float32)
        return Sample(file.path, boxes, classes, span, self.name, weights)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Annotated images and their labels.

    Attributes:
        labels: all labels; a class is an index into them.
        images: sorted by name.
        issues: found on reading.
    """

    labels: tuple[str, ...]
    images: list[AnnotatedImage]
    issues: list[Issue] = field(default_factory=list)

    def samples(self) -> list[Sample]:
        """The images as training samples."""
        return [image.sample(self.labels) for image in self.images]

    def label_counts(self) -> Counter[str]:
        """Number of boxes of each label."""
        return Counter(label for image in self.images for label in image.labels)

    def select(
        self,
        labels: Sequence[str] | None = None,
        rename: Rename | None = None,
    ) -> Dataset:
        """Keep or rename labels.

        Args:
            labels: labels to keep, in this order; boxes of other labels are left out. None
                keeps all.
            rename: new names by old names, applied before `labels`; two labels may become one.
                None as a new name leaves the boxes out.

        Raises:
            ConfigError: a label does not exist.
        """
        renaming = Renaming(self.labels, rename)
        known = renaming.labels
        for label in labels or ():
            if label not in known:
                raise ConfigError(f"labels: no label {label!r}; {did_you_mean(label, known)}")
        kept = tuple(known if labels is None else labels)
        if len(set(kept)) < len(kept):
            raise ConfigError(f"labels={list(kept)!r}: expected each label once")
        images = [_relabeled(image, renaming.names, kept) for image in self.images]
        return Dataset(kept, images, self.issues)


def join(datasets: Sequence[Dataset]) -> Dataset:
    """Concatenate data sets; labels in the order of their first occurrence."""
    return Dataset(
        tuple(dict.fromkeys(label for dataset in datasets for label in dataset.labels)),
        [image for dataset in datasets for image in dataset.images],
        [issue for dataset in datasets for issue in dataset.issues],
    )


def _relabeled(
    image: AnnotatedImage, renamed: Mapping[str, str | None], kept: tuple[str, ...]
) -> AnnotatedImage:
    new = [renamed[label] for label in image.labels]
    rows = [row for row, label in enumerate(new) if label in kept]
    return image.select_boxes(np.array(rows, np.intp), [str(new[row]) for row in rows])
