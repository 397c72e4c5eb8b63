"""Conversion of raw annotations to valid boxes: in pixels, upright, inside the image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vidan.errors import SourceError

from ...arrays import BoolArray
from ..image_files import SIDEWAYS, ImageFile, ImageHeader
from .dataset import AnnotatedImage, Boxes
from .issues import IssueLog

MAX_ROUNDING_PX = 0.01
"""Boxes that exceed the border by at most this much are clipped silently."""

MIN_PIXEL_COORDINATE = 2.0
"""A normalized coordinate of this size must be in pixels: no box is twice its image."""

MAX_ASPECT_DIFFERENCE = 0.02
"""Relative difference of two aspect ratios up to which one image is a resized other."""


@dataclass(slots=True, eq=False)
class RawAnnotation:
    """The annotation of one image as its format states it, unchecked.

    Attributes:
        location: file, line or record of the annotation.
        file: the image; None if there is none.
        name: file name of the image.
        labels: labels of the M boxes.
        corners: M times x1, y1, x2, y2.
        normalized: whether corners are relative to the image's size rather than in px.
        declared_size: width and height according to the annotation; None if it has none.
        crowd: M flags; empty for none.
        difficult: M flags; empty for none.
        weights: M numbers, see `AnnotatedImage`; empty for 1.
    """

    location: str
    file: ImageFile | None
    name: str
    labels: list[str] = field(default_factory=list)
    corners: list[tuple[float, float, float, float]] = field(default_factory=list)
    normalized: bool = False
    declared_size: tuple[int, int] | None = None
    crowd: list[bool] = field(default_factory=list)
    difficult: list[bool] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)


def repair(raw: RawAnnotation, issues: IssueLog, one_based: bool = False) -> AnnotatedImage | None:
    """Convert a raw annotation; None if the image is left out.

    Args:
        raw: the annotation.
        issues: receives the issues.
        one_based: whether pixels count from 1 and boxes include their last pixel, as in Pascal
            VOC's own data.
    """
    header = _header(raw, issues)
    if header is None or raw.file is None:
        return None
    size = _annotated_size(raw, header, issues)
    if size is None:
        return None
    boxes = np.array(raw.corners, np.float64).reshape(-1, 4)
    if one_based and not raw.normalized:
        boxes -= (1, 1, 0, 0)
    boxes, rows = _repair_boxes(boxes, raw, size, issues)
    boxes = boxes / (*size, *size)
    if size == header.stored_size != header.upright_size:
        boxes = upright(boxes, header.orientation)
    return AnnotatedImage(
        raw.file,
        raw.name,
        header.upright_size,
        boxes * (*header.upright_size, *header.upright_size),
        tuple(raw.labels[row] for row in rows),
        _flags(raw.crowd, raw, rows),
        _flags(raw.difficult, raw, rows),
        np.array(raw.weights or [1.0] * len(raw.labels), np.float64)[rows],
        raw.location,
    )


def _flags(flags: list[bool], raw: RawAnnotation, rows: list[int]) -> BoolArray:
    return np.array(flags or [False] * len(raw.labels), bool)[rows]


def _header(raw: RawAnnotation, issues: IssueLog) -> ImageHeader | None:
    if raw.file is None or not raw.file.path.is_file():
        text = f"there is no {raw.name!r}"
        issues.report(raw.location, "missing image", text, repairable=False)
        return None
    try:
        return raw.file.header()
    except SourceError as error:
        issues.report(raw.location, "broken image", str(error), repairable=False)
        return None


def _annotated_size(
    raw: RawAnnotation, header: ImageHeader, issues: IssueLog
) -> tuple[int, int] | None:
    """Size of the image that the boxes were drawn in, (width, height); None to leave it out."""
    declared, actual = raw.declared_size, header.upright_size
    if declared == actual or (declared is None and raw.normalized):
        return actual
    title = "{}x{}".format(*actual)
    if declared is None or min(declared) <= 0:
        good = issues.report(raw.location, "image size", f"not given, it is {title}")
        return actual if good else None
    differs = f"{declared[0]}x{declared[1]} given, it is {title}"
    if declared == header.stored_size:  # drawn by a tool that ignores EXIF
        turned = f"{differs} when turned upright by EXIF orientation {header.orientation}"
        return declared if issues.report(raw.location, "orientation", turned) else None
    aspect_ratio = declared[0] * actual[1] / (declared[1] * actual[0])
    if abs(aspect_ratio - 1) < MAX_ASPECT_DIFFERENCE and not raw.normalized:
        good = issues.report(raw.location, "image size", f"{differs}, boxes are scaled")
        return declared if good else None
    return actual if issues.report(raw.location, "image size", differs) else None


def _repair_boxes(
    boxes: Boxes, raw: RawAnnotation, size: tuple[int, int], issues: IssueLog
) -> tuple[Boxes, list[int]]:
    """Valid boxes (K,4), px of the annotated size, and their rows among the M given."""
    limits = np.array([*size, *size], np.float64)
    valid, rows = [], []
    for row, box in enumerate(boxes):
        repaired = _repair_box(box, raw, row + 1, limits, issues)
        if repaired is not None:
            valid.append(repaired)
            rows.append(row)
    return np.array(valid, np.float64).reshape(-1, 4), rows


def _repair_box(
    box: Boxes, raw: RawAnnotation, number: int, limits: Boxes, issues: IssueLog
) -> Boxes | None:
    """One box (4,) in px and inside the image, or None."""

    def leave_out(kind: str, text: str, repairable: bool = True) -> bool:
        message = f"{_format_box(box)} {text}"
        return not issues.report(raw.location, kind, message, number, repairable)

    if not np.isfinite(box).all():
        leave_out("not a number", "is not a box", repairable=False)
        return None
    fixed = box * limits if raw.normalized else box.copy()
    if raw.normalized and np.abs(box).max() >= MIN_PIXEL_COORDINATE:
        if leave_out("unit", "is in pixels, expected fractions of the image"):
            return None
        fixed = box.copy()
    elif not raw.normalized and np.abs(box).max() <= 1 and box.any():
        if leave_out("unit", "is in fractions of the image, expected pixels"):
            return None
        fixed = box * limits
    if (fixed[:2] > fixed[2:]).any():
        if leave_out("swapped", "has its corners in the wrong order"):
            return None
        fixed = np.concatenate([np.minimum(fixed[:2], fixed[2:]), np.maximum(fixed[:2], fixed[2:])])
    inside = np.clip(fixed, 0, limits)
    if not (inside[:2] < inside[2:]).all():
        what = "is outside" if (fixed[:2] < fixed[2:]).all() else "has no area in"
        leave_out("empty", f"{what} the image of {_format_size(limits)}", repairable=False)
        return None
    exceeds = np.abs(inside - fixed).max() > MAX_ROUNDING_PX
    if exceeds and leave_out("outside", f"exceeds the image of {_format_size(limits)}"):
        return None
    return np.asarray(inside)


def upright(boxes: Boxes, orientation: int) -> Boxes:
    """Rotate normalized boxes (M,4) of a stored image along with its EXIF orientation.

    The EXIF orientations (Exif 2.32, tag 274): 2 mirrored, 3 upside down, 4 both, 5 to 8 the
    same with x and y exchanged first.

    >>> upright(np.array([[0.0, 0.0, 0.5, 0.25]]), 6).tolist()  # top left goes to top right
    [[0.75, 0.0, 1.0, 0.5]]
    """
    x1, y1, x2, y2 = boxes.T
    if orientation >= SIDEWAYS:
        x1, y1, x2, y2 = y1, x1, y2, x2
    if orientation in (2, 3, 6, 7):
        x1, x2 = 1 - x2, 1 - x1
    if orientation in (3, 4, 7, 8):
        y1, y2 = 1 - y2, 1 - y1
    return np.stack([x1, y1, x2, y2], axis=1)


def _format_box(box: Boxes) -> str:
    return "[" + ", ".join(f"{value:g}" for value in box) + "]"


def _format_size(limits: Boxes) -> str:
    return f"{limits[0]:g}x{limits[1]:g}"
