"""Images with boxes as they are between formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vidan.errors import ConfigError, did_you_mean

from ...arrays import BoolArray
from ..image_files import ImageFile
from ..sample import IGNORED, Sample
from .problems import Problem

Boxes = npt.NDArray[np.float64]
Flags = BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One image and what is in it.

    Attributes:
        file: where its bytes are.
        name: file name, of a record too; without folders.
        size: width, height of the upright image, px.
        boxes: (M,4) float64 xyxy px of the upright image, inside it.
        labels: of the M boxes.
        crowd: (M,) regions of many objects, neither right nor wrong to find.
        difficult: (M,) marked as hard to recognize.
        where: the file, line or record that says so, for messages.
    """

    file: ImageFile
    name: str
    size: tuple[int, int]
    boxes: Boxes
    labels: tuple[str, ...]
    crowd: Flags
    difficult: Flags
    where: str = ""

    def take(self, rows: npt.NDArray[np.intp], labels: Sequence[str]) -> Picture:
        """The image with some of its boxes, (K,), under the K labels given."""
        return replace(
            self,
            boxes=self.boxes[rows],
            labels=tuple(labels),
            crowd=self.crowd[rows],
            difficult=self.difficult[rows],
        )

    def sample(self, labels: Sequence[str]) -> Sample:
        """The image for training; crowds are `IGNORED`."""
        classes = np.array([labels.index(label) for label in self.labels], np.int32)
        classes[self.crowd] = IGNORED
        file = self.file
        span = None if file.size is None else (file.offset, file.size)
        return Sample(file.path, self.boxes.astype(np.float32), classes, span, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images, the labels in their order, and what was wrong.

    Attributes:
        labels: all labels; a class is an index into them.
        images: in the order of their names.
        problems: what was found on reading.
    """

    labels: tuple[str, ...]
    pictures: list[Picture]
    problems: list[Problem] = field(default_factory=list)

    def samples(self) -> list[Sample]:
        """The images for training."""
        return [picture.sample(self.labels) for picture in self.pictures]

    def counts(self) -> Counter[str]:
        """How many boxes each label has."""
        return Counter(label for picture in self.pictures for label in picture.labels)

    def select(
        self,
        labels: Sequence[str] | None = None,
        rename: Mapping[str, str | None] | None = None,
    ) -> Dataset:
        """The data set with other labels.

        Args:
            labels: what to keep, in this order; boxes of other labels are left out. None: all.
            rename: new names by old ones, before `labels` is applied; two may become one;
                None as a new name leaves the boxes out.

        Raises:
            ConfigError: a label that there is not.
        """
        rename = rename or {}
        for old in rename:
            if old not in self.labels:
                raise ConfigError(f"rename: no label {old!r}; {did_you_mean(old, self.labels)}")
        renamed = {label: rename.get(label, label) for label in self.labels}
        known = list(dict.fromkeys(new for new in renamed.values() if new))
        for label in labels or ():
            if label not in known:
                raise ConfigError(f"labels: no label {label!r}; {did_you_mean(label, known)}")
        kept = tuple(known if labels is None else labels)
        if len(set(kept)) < len(kept):
            raise ConfigError(f"labels={list(kept)!r}: expected each label once")
        return Dataset(kept, [_renamed(p, renamed, kept) for p in self.pictures], self.problems)


def join(datasets: Sequence[Dataset]) -> Dataset:
    """All images of several data sets; labels in the order in which they first come."""
    return Dataset(
        tuple(dict.fromkeys(label for dataset in datasets for label in dataset.labels)),
        [picture for dataset in datasets for picture in dataset.pictures],
        [problem for dataset in datasets for problem in dataset.problems],
    )


def _renamed(picture: Picture, renamed: Mapping[str, str | None], kept: tuple[str, ...]) -> Picture:
    new = [renamed[label] for label in picture.labels]
    rows = [row for row, label in enumerate(new) if label in kept]
    return picture.take(np.array(rows, np.intp), [str(new[row]) for row in rows])
