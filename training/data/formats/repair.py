"""From what a format says of an image to boxes that are right: in pixels, upright, inside."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vidan.errors import SourceError

from ..image_files import Header, ImageFile
from .dataset import Boxes, Flags, Picture
from .problems import Problems

SLACK = 0.01
"""How far beyond the border a box may reach by mere rounding, px; it is cut without a word."""
OTHER_UNIT = 2.0
"""A normalized coordinate from here on is meant in pixels: no box is twice its image."""
SAME_SHAPE = 0.02
"""Relative difference of two aspect ratios up to which one image is the other, resized."""


@dataclass(slots=True, eq=False)
class Raw:
    """What a format says of one image, unchecked.

    Attributes:
        where: the file, line or record that says so.
        file: of the image; None if there is none.
        name: file name of the image.
        labels: of the M boxes.
        corners: M times x1, y1, x2, y2.
        normalized: whether corners are relative to the image's size, or px.
        declared: width, height by the annotation; None if it does not say.
        crowd: M flags; empty: none.
        difficult: M flags; empty: none.
    """

    where: str
    file: ImageFile | None
    name: str
    labels: list[str] = field(default_factory=list)
    corners: list[tuple[float, float, float, float]] = field(default_factory=list)
    normalized: bool = False
    declared: tuple[int, int] | None = None
    crowd: list[bool] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)


def mend(raw: Raw, problems: Problems, one_based: bool = False) -> Picture | None:
    """The image with boxes that are right; None if it is left out.

    Args:
        raw: what the format says.
        problems: where to report what is wrong.
        one_based: pixels count from 1 and a box holds its last one, as in Pascal VOC's own data.
    """
    header = _header(raw, problems)
    if header is None or raw.file is None:
        return None
    frame = _frame(raw, header, problems)
    if frame is None:
        return None
    boxes = np.array(raw.corners, np.float64).reshape(-1, 4)
    if one_based and not raw.normalized:
        boxes -= (1, 1, 0, 0)
    boxes, rows = _mend_boxes(boxes, raw, frame, problems)
    boxes = boxes / (*frame, *frame)
    if frame == header.stored != header.shown:
        boxes = upright(boxes, header.orientation)
    return Picture(
        raw.file,
        raw.name,
        header.shown,
        boxes * (*header.shown, *header.shown),
        tuple(raw.labels[row] for row in rows),
        _flags(raw.crowd, raw, rows),
        _flags(raw.difficult, raw, rows),
        raw.where,
    )


def _flags(flags: list[bool], raw: Raw, rows: list[int]) -> Flags:
    return np.array(flags or [False] * len(raw.labels), bool)[rows]


def _header(raw: Raw, problems: Problems) -> Header | None:
    if raw.file is None or not raw.file.path.is_file():
        text = f"there is no {raw.name!r}"
        problems.repairs(raw.where, "missing picture", text, mendable=False)
        return None
    try:
        return raw.file.header()
    except SourceError as error:
        problems.repairs(raw.where, "broken picture", str(error), mendable=False)
        return None


def _frame(raw: Raw, header: Header, problems: Problems) -> tuple[int, int] | None:
    """Width and height of the image that the boxes were drawn in; None to leave it out."""
    said = raw.declared
    if said == header.shown or (said is None and raw.normalized):
        return header.shown
    title = "{}x{}".format(*header.shown)
    if said is None or min(said) <= 0:
        good = problems.repairs(raw.where, "picture size", f"not given, it is {title}")
        return header.shown if good else None
    differs = f"{said[0]}x{said[1]} given, it is {title}"
    if said == header.stored:  # the tool that drew the boxes knew nothing of EXIF
        turned = f"{differs} when turned upright by EXIF orientation {header.orientation}"
        return said if problems.repairs(raw.where, "orientation", turned) else None
    resized = abs(said[0] * header.shown[1] / (said[1] * header.shown[0]) - 1) < SAME_SHAPE
    if resized and not raw.normalized:
        good = problems.repairs(raw.where, "picture size", f"{differs}, boxes are scaled")
        return said if good else None
    return header.shown if problems.repairs(raw.where, "picture size", differs) else None


def _mend_boxes(
    boxes: Boxes, raw: Raw, frame: tuple[int, int], problems: Problems
) -> tuple[Boxes, list[int]]:
    """Boxes (K,4) px of the frame, and which of the M they were."""
    limits = np.array([*frame, *frame], np.float64)
    right, rows = [], []
    for row, box in enumerate(boxes):
        mended = _mend_box(box, raw, row + 1, limits, problems)
        if mended is not None:
            right.append(mended)
            rows.append(row)
    return np.array(right, np.float64).reshape(-1, 4), rows


def _mend_box(box: Boxes, raw: Raw, number: int, limits: Boxes, problems: Problems) -> Boxes | None:
    """One box (4,) in px and inside, or None."""

    def wrong(kind: str, text: str, mendable: bool = True) -> bool:
        return not problems.repairs(raw.where, kind, f"{_show(box)} {text}", number, mendable)

    if not np.isfinite(box).all():
        wrong("no number", "is no box", mendable=False)
        return None
    fixed = box * limits if raw.normalized else box.copy()
    if raw.normalized and np.abs(box).max() >= OTHER_UNIT:
        if wrong("unit", "is in pixels, expected shares of the picture"):
            return None
        fixed = box.copy()
    elif not raw.normalized and np.abs(box).max() <= 1 and box.any():
        if wrong("unit", "is in shares of the picture, expected pixels"):
            return None
        fixed = box * limits
    if (fixed[:2] > fixed[2:]).any():
        if wrong("swapped", "has its corners in the wrong order"):
            return None
        fixed = np.concatenate([np.minimum(fixed[:2], fixed[2:]), np.maximum(fixed[:2], fixed[2:])])
    inside = np.clip(fixed, 0, limits)
    if not (inside[:2] < inside[2:]).all():
        there = "is outside" if (fixed[:2] < fixed[2:]).all() else "has no area in"
        wrong("empty", f"{there} the picture of {_size(limits)}", mendable=False)
        return None
    beyond = np.abs(inside - fixed).max() > SLACK
    if beyond and wrong("outside", f"reaches out of the picture of {_size(limits)}"):
        return None
    return np.asarray(inside)


def upright(boxes: Boxes, orientation: int) -> Boxes:
    """Normalized boxes (M,4) of an image as stored, where it is turned upright.

    The EXIF orientations (Exif 2.32, tag 274): 2 mirrored, 3 upside down, 4 both, 5 to 8 the
    same with x and y exchanged first.

    >>> upright(np.array([[0.0, 0.0, 0.5, 0.25]]), 6).tolist()  # top left goes to top right
    [[0.75, 0.0, 1.0, 0.5]]
    """
    x1, y1, x2, y2 = boxes.T
    if orientation >= 5:
        x1, y1, x2, y2 = y1, x1, y2, x2
    if orientation in (2, 3, 6, 7):
        x1, x2 = 1 - x2, 1 - x1
    if orientation in (3, 4, 7, 8):
        y1, y2 = 1 - y2, 1 - y1
    return np.stack([x1, y1, x2, y2], axis=1)


def _show(box: Boxes) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"


def _size(limits: Boxes) -> str:
    return f"{limits[0]:g}x{limits[1]:g}"
