"""`vidan data tighten`: tight boxes in place of loose ones, so that a detector can learn from them.

People label heads, or draw boxes generously, where a detector's own boxes are of faces. What
they say of the label is worth learning all the same: a beard is no mask. So each loose box keeps
its label and takes the box that a detector finds inside it. Where it finds none, and where it
finds something that nobody labeled, the place becomes a crowd: neither right nor wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from vidan import options
from vidan.boxes import area
from vidan.cli.subcommands import asks_for_help, keys
from vidan.cli.terminal import console, listen
from vidan.config.compose import compose
from vidan.errors import ConfigError, did_you_mean
from vidan.types import Detections

from ..arrays import BoolArray
from ..data import formats
from ..data.formats.dataset import Boxes, Picture
from ..evaluation.detector import Subject, detect, open_subject

SIZES = (0.1, 1.1)
"""A detection is the object of a loose box if its area is between these shares of it."""

HELP = """\
vidan data tighten from=<images> to=<folder> [detector.model=<file>] [key=value] ...

Replaces boxes that are too loose (heads instead of faces) by what a detector finds in them,
under the labels of the data. Where it finds nothing, and where it finds what nobody labeled,
a crowd marks the place as neither right nor wrong.

Every key with its default:

{keys}
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides: see `conf/data_tighten.yaml`."""

    score: float
    doubt: float
    sure: float
    believe: Mapping[str, str]


def main(arguments: list[str]) -> int:
    """`vidan data tighten`."""
    if asks_for_help(arguments):
        sys.stdout.write(HELP.format(keys=keys("data_tighten")))
        return 0
    listen()
    config = compose(arguments, "data_tighten")
    path, to = Path(options.text("from", config["from"])), Path(options.text("to", config.to))
    data = formats.read(path, config.from_format).select(rename=_names("rename", config.rename))
    rules = _rules(config, data.labels)
    subject = open_subject(config.detector, min(rules.score, rules.doubt))
    try:
        tight, counts = tighten(subject, data, rules)
    finally:
        subject.close()
    formats.write(tight, to, "coco")
    console().print(
        f"{to}: {len(tight.pictures)} pictures, {counts['tight']} boxes tightened, "
        f"{counts['crowd']} made crowds, {counts['new']} crowds where nobody labeled anything"
    )
    return 0


def _rules(config: Any, labels: Sequence[str]) -> Rules:
    believe = _names("believe", config.believe)
    for label in (*believe, *believe.values()):
        if label not in labels:
            raise ConfigError(f"believe: no label {label!r}: {did_you_mean(str(label), labels)}")
    score, doubt, sure = (
        options.number(key, config[key], 0.0, 1.0) for key in ("score", "doubt", "sure")
    )
    return Rules(score, doubt, sure, believe)


def _names(key: str, value: Any) -> dict[str, str]:
    """A mapping of labels; {} where nothing is said."""
    plain: Any = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value or {}
    if not isinstance(plain, dict) or not all(isinstance(v, str) for v in plain.values()):
        raise ConfigError(f"{key}={plain!r}: expected labels, such as {{head: face}}")
    return plain


def tighten(
    subject: Subject, data: formats.Dataset, rules: Rules
) -> tuple[formats.Dataset, dict[str, int]]:
    """The data with tight boxes, and how many boxes became what."""
    counts = {"tight": 0, "crowd": 0, "new": 0}
    pictures = []
    for picture, found in zip(data.pictures, detect(subject, data.samples()), strict=True):
        named = [subject.detector.labels[c] for c in found.classes]
        tight, crowds = _tight(picture, found, named, rules, counts)
        pictures.append(_with_crowds(tight, crowds, data.labels[0]))
    return formats.Dataset(data.labels, pictures), counts


def _tight(
    picture: Picture, found: Detections, named: Sequence[str], rules: Rules, counts: dict[str, int]
) -> tuple[Picture, Boxes]:
    """The image with tight boxes, and what the detector found elsewhere (K,4)."""
    used = np.zeros(len(found.scores), bool)
    boxes, crowd = picture.boxes.copy(), picture.crowd.copy()
    for row in np.flatnonzero(~picture.crowd):
        inside = _inside(found, boxes[row])
        scores = np.where(inside & ~used, found.scores, 0.0)
        best = int(scores.argmax()) if len(scores) else -1
        if best < 0 or scores[best] < rules.score:
            crowd[row] = True
            continue
        used |= inside
        boxes[row] = found.boxes[best]
        other = rules.believe.get(picture.labels[row])
        crowd[row] = other == named[best] and scores[best] > rules.sure
    elsewhere = found.boxes[~used & (found.scores >= rules.doubt)].astype(np.float64)
    counts["tight"] += int((~crowd).sum())
    counts["crowd"] += int((crowd & ~picture.crowd).sum())
    counts["new"] += len(elsewhere)
    return replace(picture, boxes=boxes, crowd=crowd), elsewhere


def _with_crowds(picture: Picture, crowds: Boxes, label: str) -> Picture:
    """The image with more crowds (K,4); a label they must have, though it means nothing."""
    return replace(
        picture,
        boxes=np.concatenate([picture.boxes, crowds]),
        labels=(*picture.labels, *[label] * len(crowds)),
        crowd=np.concatenate([picture.crowd, np.ones(len(crowds), bool)]),
        difficult=np.concatenate([picture.difficult, np.zeros(len(crowds), bool)]),
    )


def _inside(found: Detections, box: Boxes) -> BoolArray:
    """(N,): detections whose center is in a box, and that are neither specks nor larger."""
    centers = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    within = ((centers >= box[:2]) & (centers <= box[2:])).all(axis=1)
    share = area(found.boxes) / max(float((box[2:] - box[:2]).prod()), 1e-9)
    return np.asarray(within & (share > SIZES[0]) & (share < SIZES[1]))
