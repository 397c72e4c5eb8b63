"""`vidan data tighten`: replace loose boxes by a detector's own, so that training can use them.

People label heads, draw boxes generously or label whole people where a detector's boxes are of
faces. Their labels are worth learning all the same: a beard is not a mask. So each loose box keeps
its label and takes the box that a detector finds inside it. Where the detector finds nothing, and
where it finds something that nobody labeled, the region becomes a crowd: neither right nor wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from vidan import options
from vidan.boxes import area
from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import console, setup_logging
from vidan.config.compose import compose
from vidan.errors import ConfigError, did_you_mean
from vidan.types import Detections

from ..arrays import BoolArray
from ..data import formats
from ..data.formats.dataset import AnnotatedImage, Boxes
from ..evaluation.detector import DetectorUnderTest, detect, open_detector

MAX_AREA_RATIO = 1.1
"""Largest area of a detection relative to the loose box that it may replace."""

HELP = """\
vidan data tighten from=<images> to=<folder> [detector.model=<file>] [key=value] ...

Replaces boxes that are too loose (heads instead of faces) by the boxes that a detector finds in
them, and keeps the labels of the data. Where it finds nothing, and where it finds something that
nobody labeled, a crowd marks the region as neither right nor wrong.

Every key with its default:

{keys}
"""


@dataclass(frozen=True, slots=True)
class TightenRules:
    """The rules of `conf/data_tighten.yaml`.

    Attributes:
        min_score: score from which a detection replaces a loose box, in [0,1].
        min_area: smallest area of such a detection relative to the loose box, in [0,1].
        crowd_score: score from which a detection outside all loose boxes becomes a crowd.
        conflicts: boxes with a label that is a key become crowds where the detector is
            confident of the value, one of its own labels.
        conflict_score: score from which the detector is confident.
    """

    min_score: float
    min_area: float
    crowd_score: float
    conflicts: Mapping[str, str]
    conflict_score: float


def main(arguments: list[str]) -> int:
    """Run `vidan data tighten`."""
    if asks_for_help(arguments):
        write_help(HELP, "data_tighten")
        return 0
    setup_logging()
    config = compose(arguments, "data_tighten")
    path, to = Path(options.text("from", config["from"])), Path(options.text("to", config.to))
    data = formats.read(path, config.from_format).select(rename=_labels("rename", config.rename))
    rules = _rules(config)
    _check_conflicts(rules.conflicts, data.labels)
    formats.check_new(to)
    subject = open_detector(config.detector, min(rules.min_score, rules.crowd_score))
    try:
        _check_conflicts(rules.conflicts.values(), subject.detector.labels)
        tight, counts = tighten(subject, data, rules)
    finally:
        subject.close()
    formats.write(tight, to, "coco")
    console().print(
        f"{to}: {len(tight.images)} images, {counts['tight']} boxes tightened, "
        f"{counts['crowd']} turned into crowds, {counts['new']} crowds added where nobody labeled "
        "anything"
    )
    return 0


def _rules(config: Any) -> TightenRules:
    min_score, min_area, crowd_score, conflict_score = (
        options.number(key, config[key], 0.0, 1.0)
        for key in ("min_score", "min_area", "crowd_score", "conflict_score")
    )
    conflicts = _labels("conflicts", config.conflicts)
    return TightenRules(min_score, min_area, crowd_score, conflicts, conflict_score)


def _check_conflicts(given: Iterable[str], labels: Sequence[str]) -> None:
    """Raise a `ConfigError` for a label that does not exist."""
    for label in given:
        if label not in labels:
            raise ConfigError(f"conflicts: no label {label!r}: {did_you_mean(str(label), labels)}")


def _labels(key: str, value: Any) -> dict[str, str]:
    """The value of an option that maps labels to labels; null is an empty mapping."""
    plain: Any = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value or {}
    if not isinstance(plain, dict) or not all(isinstance(v, str) for v in plain.values()):
        raise ConfigError(f"{key}={plain!r}: expected labels, such as {{head: face}}")
    return plain


def tighten(
    subject: DetectorUnderTest, data: formats.Dataset, rules: TightenRules
) -> tuple[formats.Dataset, dict[str, int]]:
    """Tighten the boxes of a data set.

    Returns:
        The new data set, and the number of boxes that were tightened (`tight`), turned into
        crowds (`crowd`) and added as crowds (`new`).
    """
    counts = {"tight": 0, "crowd": 0, "new": 0}
    images = []
    for image, found in zip(data.images, detect(subject, data.samples()), strict=True):
        labels = [subject.detector.labels[c] for c in found.classes]
        tight, crowds = _tighten_image(image, found, labels, rules, counts)
        images.append(_with_crowds(tight, crowds, data.labels[0]))
    return formats.Dataset(data.labels, images), counts


def _tighten_image(
    image: AnnotatedImage,
    found: Detections,
    labels: Sequence[str],
    rules: TightenRules,
    counts: dict[str, int],
) -> tuple[AnnotatedImage, Boxes]:
    """The image with tight boxes, and the detections outside all loose boxes (K,4)."""
    used = np.zeros(len(found.scores), bool)
    boxes, crowd = image.boxes.copy(), image.crowd.copy()
    for row in np.flatnonzero(~image.crowd):
        candidates = _inside(found, boxes[row], rules.min_area)
        scores = np.where(candidates & ~used, found.scores, 0.0)
        best = int(scores.argmax()) if len(scores) else -1
        if best < 0 or scores[best] < rules.min_score:
            crowd[row] = True
            continue
        used |= candidates
        boxes[row] = found.boxes[best]
        conflicting = rules.conflicts.get(image.labels[row])
        crowd[row] = conflicting == labels[best] and scores[best] > rules.conflict_score
    elsewhere = found.boxes[~used & (found.scores >= rules.crowd_score)].astype(np.float64)
    counts["tight"] += int((~crowd).sum())
    counts["crowd"] += int((crowd & ~image.crowd).sum())
    counts["new"] += len(elsewhere)
    return replace(image, boxes=boxes, crowd=crowd), elsewhere


def _with_crowds(image: AnnotatedImage, crowds: Boxes, label: str) -> AnnotatedImage:
    """The image with additional crowds (K,4); their label is required but has no meaning."""
    return replace(
        image,
        boxes=np.concatenate([image.boxes, crowds]),
        labels=(*image.labels, *[label] * len(crowds)),
        crowd=np.concatenate([image.crowd, np.ones(len(crowds), bool)]),
        difficult=np.concatenate([image.difficult, np.zeros(len(crowds), bool)]),
        weights=np.concatenate([image.weights, np.ones(len(crowds))]),
    )


def _inside(found: Detections, box: Boxes, min_area: float) -> BoolArray:
    """(N,): detections with their center in a box, neither far smaller nor larger than it."""
    centers = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    within = ((centers >= box[:2]) & (centers <= box[2:])).all(axis=1)
    ratio = area(found.boxes) / max(float((box[2:] - box[:2]).prod()), 1e-9)
    return np.asarray(within & (ratio > min_area) & (ratio < MAX_AREA_RATIO))
