"""Reading and writing data sets of any format."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vidan.errors import SourceError, did_you_mean

from ..image_files import ImageFile
from . import coco, tfrecord, voc, yolo
from .dataset import AnnotatedImage, Dataset
from .detect import AUTO, detect
from .issues import REPAIR, IssueLog
from .options import ReadOptions
from .paths import read_label_map
from .repair import RawAnnotation, repair
from .writing import DatasetWriter, OutputFolder, atomic_folder

log = logging.getLogger(__name__)

ReadResult = tuple[tuple[str, ...] | None, Iterator[RawAnnotation]]
"""Labels if the format defines them, and the annotations of the images."""


class DatasetFormat(NamedTuple):
    """How to read and write one format."""

    read: Callable[[Path, ReadOptions], ReadResult]
    writer: Callable[[OutputFolder], DatasetWriter]


DATASET_FORMATS = {
    "tfrecord": DatasetFormat(tfrecord.read, tfrecord.TfrecordWriter),
    "voc": DatasetFormat(voc.read, voc.VocWriter),
    "coco": DatasetFormat(coco.read, coco.CocoWriter),
    "yolo": DatasetFormat(yolo.read, yolo.YoloWriter),
}
DEFAULTS = {"crowd": False, "difficult": False, "weights": 1.0}
"""Properties of a box that some formats cannot express, with the values that need no mention."""

MIN_BOXES_AT_ONE = 5
"""A data set with this many boxes at pixel 1 and none at 0 probably counts from 1."""


def read(
    path: Path,
    format: str = AUTO,  # noqa: A002 - the option's word
    *,
    issues: str = REPAIR,
    label_map: Path | None = None,
    one_based: bool | None = None,
) -> Dataset:
    """Read a data set; the images stay in their files.

    Args:
        path: folder, file, or pattern of TFRecords.
        format: one of FORMATS, or `auto` to detect it.
        issues: what to do about issues, one of POLICIES.
        label_map: a label map that is not next to the data.
        one_based: whether pixels count from 1; None counts from 0 and notes if 1 seems likely.

    Raises:
        SourceError: the data cannot be read or is empty, or has an issue and `issues` is `error`.
    """
    options = ReadOptions(IssueLog(issues), label_map, one_based)
    labels, annotations = DATASET_FORMATS[detect(path, format)].read(path, options)
    if label_map is not None:
        labels = tuple(item.label for item in read_label_map(label_map))
    origin = PixelOriginCheck()
    images: dict[ImageFile, AnnotatedImage] = {}
    used: set[str] = set()
    for raw in _with_known_labels(origin.observe(annotations), labels, options.issues):
        image = repair(raw, options.issues, bool(one_based))
        if image is not None:
            used.update(image.labels)
            other = images.get(image.file)
            images[image.file] = image if other is None else _joined(other, image, options.issues)
    if one_based is None:
        origin.note(options.issues)
    options.issues.log()
    if not images:
        raise SourceError(f"no images in {str(path)!r}: there are none, or all were left out")
    ordered = sorted(images.values(), key=lambda image: image.name)
    return Dataset(labels or tuple(sorted(used)), ordered, options.issues.issues)


def _joined(one: AnnotatedImage, other: AnnotatedImage, issues: IssueLog) -> AnnotatedImage:
    """One image of two annotations of the same file; a box that both have is kept once."""
    text = f"{one.location!r} is about the same image: the boxes are joined"
    if not issues.report(other.location, "same image", text):
        return one
    known = {(label, *box) for label, box in zip(one.labels, one.boxes.tolist(), strict=True)}
    rows = [
        row
        for row, (label, box) in enumerate(zip(other.labels, other.boxes.tolist(), strict=True))
        if (label, *box) not in known
    ]
    added = other.select_boxes(np.array(rows, np.intp), [other.labels[row] for row in rows])
    return replace(
        one,
        boxes=np.concatenate([one.boxes, added.boxes]),
        labels=one.labels + added.labels,
        crowd=np.concatenate([one.crowd, added.crowd]),
        difficult=np.concatenate([one.difficult, added.difficult]),
        weights=np.concatenate([one.weights, added.weights]),
    )


def _with_known_labels(
    annotations: Iterable[RawAnnotation], labels: tuple[str, ...] | None, issues: IssueLog
) -> Iterator[RawAnnotation]:
    """The annotations without boxes of unknown labels."""
    for raw in annotations:
        known = []
        for row, label in enumerate(raw.labels):
            if label and (labels is None or label in labels):
                known.append(row)
            else:
                suggestion = did_you_mean(label, labels or ())
                issues.report_unknown_label(raw.location, f"label {label!r}; {suggestion}", row + 1)
        if len(known) < len(raw.labels):
            raw.labels = [raw.labels[row] for row in known]
            raw.corners = [raw.corners[row] for row in known]
            raw.crowd = [raw.crowd[row] for row in known if row < len(raw.crowd)]
            raw.difficult = [raw.difficult[row] for row in known if row < len(raw.difficult)]
            raw.weights = [raw.weights[row] for row in known if row < len(raw.weights)]
        yield raw


class PixelOriginCheck:
    """Guesses whether pixels are counted from 0 or from 1.

    A tool that counts from 1 never writes 0, and writes 1 for boxes at the border. (LabelImg
    writes 1 there as well although it counts from 0, so the guess is only noted.)
    """

    def __init__(self) -> None:
        self.zeros, self.ones, self.first = 0, 0, ""

    def observe(self, annotations: Iterable[RawAnnotation]) -> Iterator[RawAnnotation]:
        """Pass annotations through, and count boxes that begin at 0 and at 1."""
        for raw in annotations:
            if not raw.normalized and raw.corners:
                begins = np.array(raw.corners)[:, :2]
                self.zeros += int((begins < 1).any(axis=1).sum())
                ones = (begins == 1).any(axis=1)
                self.ones += int(ones.sum())
                if ones.any() and not self.first:
                    self.first = f"{raw.location}: box {int(ones.argmax()) + 1}"
            yield raw

    def note(self, issues: IssueLog) -> None:
        """Note an issue if pixels seem to count from 1."""
        if self.ones >= MIN_BOXES_AT_ONE and not self.zeros:
            location, _, box = self.first.rpartition(": box ")
            text = (
                f"no box begins at pixel 0, {self.ones} at 1: if pixels count from 1, set "
                "one_based=true, else one_based=false"
            )
            issues.note(location, "perhaps 1-based", text, int(box))


def write(
    dataset: Dataset,
    folder: Path,
    format: str,  # noqa: A002 - the option's word
    *,
    shards: int = 0,
    progress: Callable[[list[AnnotatedImage]], Iterable[AnnotatedImage]] = iter,
) -> None:
    """Write a data set into a new folder, completely or not at all.

    Args:
        dataset: what to write.
        folder: must not exist, or be empty.
        format: one of FORMATS.
        shards: number of TFRecord shards; 0 makes one for each 1000 images.
        progress: wraps the images to show the progress.

    Raises:
        SinkError: the folder is not empty, or cannot be written.
    """
    with atomic_folder(folder) as part:
        output = OutputFolder(part, dataset.labels, len(dataset.images), shards)
        writer = DATASET_FORMATS[detect(folder, format)].writer(output)
        try:
            for image in progress(dataset.images):
                writer.write(image)
        finally:
            writer.close()
    for name in writer.unsupported:
        lost = sum(int((getattr(image, name) != DEFAULTS[name]).sum()) for image in dataset.images)
        if lost:
            log.warning("%d boxes lost their %s: %s cannot express it", lost, name, format)
