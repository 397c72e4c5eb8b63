"""Contact sheets of mistakes: the region around each, with a description."""

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

TILE_PX, MARGIN_PX = 200, 8
COLUMNS = 8
LINE_PX, HEADING_PX = 14, 30  # heights of text
CONTEXT = 2.5  # side of the region relative to the longer side of the boxes
MIN_REGION_PX = 48  # some context around tiny boxes
TRUTH_COLOR, FOUND_COLOR = (60, 220, 60), (255, 70, 70)
TEXT_COLOR, PAGE_COLOR, OUTSIDE_COLOR = (20, 20, 20), (255, 255, 255), (128, 128, 128)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_mistakes_sheet(path: Path, kinds: Mapping[str, Sequence[Mistake]]) -> None:
    """Write a PNG with a section for each kind of mistake; truth in green, detections in red.

    Raises:
        SinkError: the file cannot be written.
    """
    sections = [_section(title, mistakes) for title, mistakes in kinds.items()]
    done, data = cv2.imencode(".png", np.concatenate(sections)[..., ::-1])
    if not done:
        raise SinkError(f"cannot encode {str(path)!r}")
    try:
        data.tofile(path)
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


def _section(title: str, mistakes: Sequence[Mistake]) -> Image:
    """A heading and rows of tiles."""
    cell_height, cell_width = TILE_PX + 3 * LINE_PX + MARGIN_PX, TILE_PX + MARGIN_PX
    rows = -(-len(mistakes) // COLUMNS)
    height, width = HEADING_PX + rows * cell_height, COLUMNS * cell_width + MARGIN_PX
    page = np.full((height, width, 3), PAGE_COLOR, np.uint8)
    heading = title if mistakes else f"{title}: none"
    _draw_text(page, heading, MARGIN_PX, HEADING_PX - 9, 0.6)
    for n, mistake in enumerate(mistakes):
        y = HEADING_PX + n // COLUMNS * cell_height
        x = MARGIN_PX + n % COLUMNS * cell_width
        page[y : y + TILE_PX, x : x + TILE_PX] = _tile(mistake)
        for k, line in enumerate(mistake.lines, start=1):
            _draw_text(page[:, : x + TILE_PX], line, x, y + TILE_PX + k * LINE_PX - 2, 0.38)
    return page


def _draw_text(page: Image, text: str, x: int, y: int, size: float) -> None:
    ascii_text = text.encode("ascii", "replace").decode()  # the font has no other characters
    cv2.putText(page, ascii_text, (x, y), FONT, size, TEXT_COLOR, 1, cv2.LINE_AA)


def _tile(mistake: Mistake) -> Image:
    """The region around the boxes, (TILE_PX,TILE_PX,3)."""
    colored = ((mistake.truth, TRUTH_COLOR), (mistake.found, FOUND_COLOR))
    boxes = [(box, color) for box, color in colored if box is not None]
    image = mistake.sample.image()
    left, top, side = _region([box for box, _ in boxes], image.shape[1], image.shape[0])
    region = np.full((side, side, 3), OUTSIDE_COLOR, np.uint8)
    x, y = max(0, -left), max(0, -top)  # position of the image in the region
    shown = image[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    region[y : y + shown.shape[0], x : x + shown.shape[1]] = shown
    scale = TILE_PX / side
    tile = np.ascontiguousarray(resize(region, scale)[:TILE_PX, :TILE_PX])
    for box, color in boxes:
        corners = np.round((box - [left, top, left, top]) * scale).astype(int)
        cv2.rectangle(tile, corners[:2].tolist(), corners[2:].tolist(), color, 2)
    return tile


def _region(boxes: Sequence[FloatArray], width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side of a square around the boxes, inside the image if possible, px."""
    low, high = np.min(boxes, axis=0)[:2], np.max(boxes, axis=0)[2:]
    side = round(max(float((high - low).max()) * CONTEXT, MIN_REGION_PX))
    side = min(side, max(width, height))
    middle = (low + high) / 2
    return _start(middle[0], side, width), _start(middle[1], side, height), side


def _start(middle: float, side: int, length: int) -> int:
    """Start of the region along one axis; an image shorter than the region is centered."""
    if length <= side:
        return (length - side) // 2
    return int(np.clip(round(middle - side / 2), 0, length - side))
