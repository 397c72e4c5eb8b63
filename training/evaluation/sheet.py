"""A contact sheet of mistakes: each image's part around the box, with what was wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from vidan.errors import SinkError
from vidan.types import Image

from ..arrays import FloatArray
from ..data.augment import resize
from .mistakes import Mistake

TILE, MARGIN, COLUMNS = 200, 8, 8  # px, px
LINE, HEADING = 14, 30  # heights of text, px
AROUND = 2.5  # side of the part that is shown, of the box's longer side
SMALLEST = 48  # px of the image that are shown at least: some context around tiny boxes
TRUTH, FOUND = (60, 220, 60), (255, 70, 70)
INK, PAPER, BLANK = (20, 20, 20), (255, 255, 255), (128, 128, 128)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_sheet(path: Path, kinds: Mapping[str, Sequence[Mistake]]) -> None:
    """Write a PNG: a section for each kind of mistake, green the truth, red what was found.

    Raises:
        SinkError: it cannot be written.
    """
    sections = [_section(title, mistakes) for title, mistakes in kinds.items()]
    done, data = cv2.imencode(".png", np.concatenate(sections)[..., ::-1])
    if not done:
        raise SinkError(f"cannot make the picture {str(path)!r}")
    try:
        data.tofile(path)
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


def _section(title: str, mistakes: Sequence[Mistake]) -> Image:
    """A heading and rows of tiles."""
    cell_height, cell_width = TILE + 3 * LINE + MARGIN, TILE + MARGIN
    rows = -(-len(mistakes) // COLUMNS)
    page = np.full(
        (HEADING + rows * cell_height, COLUMNS * cell_width + MARGIN, 3), PAPER, np.uint8
    )
    heading = title if mistakes else f"{title}: none"
    _write(page, heading, MARGIN, HEADING - 9, 0.6)
    for n, mistake in enumerate(mistakes):
        y = HEADING + n // COLUMNS * cell_height
        x = MARGIN + n % COLUMNS * cell_width
        page[y : y + TILE, x : x + TILE] = _tile(mistake)
        for k, line in enumerate(mistake.lines, start=1):
            _write(page[:, : x + TILE], line, x, y + TILE + k * LINE - 2, 0.38)
    return page


def _write(page: Image, text: str, x: int, y: int, size: float) -> None:
    ascii_text = text.encode("ascii", "replace").decode()  # all that the font has
    cv2.putText(page, ascii_text, (x, y), FONT, size, INK, 1, cv2.LINE_AA)


def _tile(mistake: Mistake) -> Image:
    """The part of the image around the boxes, (TILE,TILE,3)."""
    boxes = [(b, c) for b, c in ((mistake.truth, TRUTH), (mistake.found, FOUND)) if b is not None]
    image = mistake.sample.image()
    left, top, side = _part([box for box, _ in boxes], image.shape[1], image.shape[0])
    part = np.full((side, side, 3), BLANK, np.uint8)
    x, y = max(0, -left), max(0, -top)  # where the image begins in the part
    shown = image[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    part[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    scale = TILE / side
    tile = np.ascontiguousarray(resize(part, scale)[:TILE, :TILE])
    for box, color in boxes:
        corners = np.round((box - [left, top, left, top]) * scale).astype(int)
        cv2.rectangle(tile, corners[:2].tolist(), corners[2:].tolist(), color, 2)
    return tile


def _part(boxes: Sequence[FloatArray], width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of a square around the boxes, in the image as far as it can be, px."""
    low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
    side = round(max(float((high - low).max()) * AROUND, SMALLEST))
    side = min(side, max(width, height))
    middle = (low + high) / 2
    return _begin(middle[0], side, width), _begin(middle[1], side, height), side


def _begin(middle: float, side: int, length: int) -> int:
    """Where a part of an image begins along one axis; an image too short for it is centerd."""
    if length <= side:
        return (length - side) // 2
    return int(np.clip(round(middle - side / 2), 0, length - side))
