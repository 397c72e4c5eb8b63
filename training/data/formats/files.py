"""Reads and writes data sets of any format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

from vidan.errors import SourceError, did_you_mean

from . import coco, tfrecord, voc, yolo
from .dataset import Dataset, Picture
from .detect import AUTO, detect
from .options import OutputDecoding
from .places import read_label_map
from .problems import REPAIR, Problems
from .repair import Raw, mend
from .writing import Target, whole

log = logging.getLogger(__name__)

MODULES: dict[str, ModuleType] = {"tfrecord": tfrecord, "voc": voc, "coco": coco, "yolo": yolo}
FEW = 5
"""Boxes at pixel 1 from which a data set that has none at 0 looks as if it counted from 1."""


def read(
    path: Path,
    format: str = AUTO,  # noqa: A002 - the option's word
    *,
    problems: str = REPAIR,
    label_map: Path | None = None,
    one_based: bool | None = None,
) -> Dataset:
    """Read a data set; images stay where they are.

    Args:
        path: folder, file, or pattern of TFRecords.
        format: one of FORMATS, or `auto` to look.
        problems: what to do about what is wrong: one of POLICIES.
        label_map: a label map in another place than beside the data.
        one_based: whether pixels count from 1; None: look, and say if it seems so.

    Raises:
        SourceError: it cannot be read, holds nothing, or something is wrong and that is an error.
    """
    reading = OutputDecoding(Problems(problems), label_map, one_based)
    labels, raws = MODULES[detect(path, format)].read(path, reading)
    if label_map is not None:
        labels = tuple(item.label for item in read_label_map(label_map))
    origin = Origin()
    pictures: list[Picture] = []
    used: set[str] = set()
    for raw in _known(origin.watch(raws), labels, reading.problems):
        picture = mend(raw, reading.problems, bool(one_based))
        if picture is not None:
            pictures.append(picture)
            used.update(picture.labels)
    if one_based is None:
        origin.note(reading.problems)
    reading.problems.log()
    if not pictures:
        raise SourceError(f"no pictures in {str(path)!r}: all were left out, or there are none")
    pictures.sort(key=lambda picture: picture.name)
    return Dataset(labels or tuple(sorted(used)), pictures, reading.problems.found)


def _known(
    raws: Iterable[Raw], labels: tuple[str, ...] | None, problems: Problems
) -> Iterator[Raw]:
    """What is read, without boxes whose label there is not."""
    for raw in raws:
        good = []
        for row, label in enumerate(raw.labels):
            if label and (labels is None or label in labels):
                good.append(row)
            else:
                near = did_you_mean(label, labels or ())
                problems.unknown(raw.where, f"label {label!r}; {near}", row + 1)
        if len(good) < len(raw.labels):
            raw.labels = [raw.labels[row] for row in good]
            raw.corners = [raw.corners[row] for row in good]
            raw.crowd = [raw.crowd[row] for row in good if row < len(raw.crowd)]
            raw.difficult = [raw.difficult[row] for row in good if row < len(raw.difficult)]
        yield raw


class Origin:
    """Finds out whether pixels are counted from 0 or from 1.

    Who counts from 1 never writes 0, and writes 1 for what touches the border. (LabelImg writes
    1 there as well, but counts from 0: so this is worth a word, not a repair.)
    """

    def __init__(self) -> None:
        self.zeros, self.ones, self.first = 0, 0, ""

    def watch(self, raws: Iterable[Raw]) -> Iterator[Raw]:
        """Pass what is read, and count where boxes begin."""
        for raw in raws:
            if not raw.normalized and raw.corners:
                begins = np.array(raw.corners)[:, :2]
                self.zeros += int((begins < 1).any(axis=1).sum())
                ones = (begins == 1).any(axis=1)
                self.ones += int(ones.sum())
                if ones.any() and not self.first:
                    self.first = f"{raw.where}: box {int(ones.argmax()) + 1}"
            yield raw

    def note(self, problems: Problems) -> None:
        """Say so if it looks as if it were 1."""
        if self.ones >= FEW and not self.zeros:
            where, _, box = self.first.rpartition(": box ")
            text = (
                f"no box begins at pixel 0, {self.ones} at 1: if pixels count from 1, say "
                "one_based=true, else one_based=false"
            )
            problems.note(where, "perhaps 1-based", text, int(box))


def write(
    dataset: Dataset,
    folder: Path,
    format: str,  # noqa: A002 - the option's word
    *,
    shards: int = 0,
    progress: Callable[[list[Picture]], Iterable[Picture]] = iter,
) -> None:
    """Write a data set into a new folder: whole, or not at all.

    Args:
        dataset: what to write.
        folder: must not be there, or be empty.
        format: one of FORMATS.
        shards: of TFRecords; 0: one for each 1000 images.
        progress: passes the images on, and shows how far it is.

    Raises:
        SinkError: the folder is not empty, or cannot be written.
    """
    with whole(folder) as part:
        target = Target(part, dataset.labels, len(dataset.pictures), shards)
        writer = MODULES[detect(folder, format)].Writer(target)
        try:
            for picture in progress(dataset.pictures):
                writer.write(picture)
        finally:
            writer.close()
    for flag in writer.loses:
        lost = sum(int(getattr(picture, flag).sum()) for picture in dataset.pictures)
        if lost:
            log.warning("%d boxes marked %r: %s cannot say so", lost, flag, format)
