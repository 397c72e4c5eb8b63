"""Contact sheets of annotated images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidan.errors import SinkError, SourceError
from vidan.types import Image

from ..data.formats import AnnotatedImage

TILE_PX = 240
CAPTION_PX = 16
COLUMNS = 8
BACKGROUND = 24  # gray level
TEXT_COLOR = (220, 220, 220)
ERROR_COLOR = (255, 80, 80)
MAX_NAME_LENGTH = 34  # characters that fit below a tile
GOLDEN_RATIO = 0.618034


def write_contact_sheet(
    path: Path, images: Sequence[AnnotatedImage], labels: Sequence[str], columns: int = COLUMNS
) -> None:
    """Draw images with their boxes in the color of the label, and a legend at the top.

    Raises:
        SinkError: the file cannot be written.
    """
    columns = min(columns, max(1, len(images)))
    rows = -(-len(images) // columns)
    top = CAPTION_PX * 2
    sheet = np.full((top + rows * TILE_PX, columns * TILE_PX, 3), BACKGROUND, np.uint8)
    _draw_legend(sheet, labels)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        y, x = top + row * TILE_PX, column * TILE_PX
        sheet[y : y + TILE_PX, x : x + TILE_PX] = _tile(image, labels)
    encoded = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1]
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


def class_color(index: int) -> tuple[int, int, int]:
    """A bright RGB color for a class; hues step by the golden ratio, so that neighbors differ."""
    red, green, blue = colorsys.hsv_to_rgb(0.33 + index * GOLDEN_RATIO, 0.85, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def _draw_legend(sheet: Image, labels: Sequence[str]) -> None:
    x = 4
    for index, label in enumerate(labels):
        _draw_text(sheet, label, (x, 20), class_color(index), 0.5)
        x += cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0] + 16


def _tile(image: AnnotatedImage, labels: Sequence[str]) -> Image:
    """(TILE_PX,TILE_PX,3): the image scaled to fit, and its name."""
    tile = np.full((TILE_PX, TILE_PX, 3), BACKGROUND, np.uint8)
    try:
        pixels = image.file.decode()
    except SourceError:
        _draw_text(tile, "broken", (8, TILE_PX // 2), ERROR_COLOR, 0.6)
    else:
        scale = min((TILE_PX - 2) / pixels.shape[1], (TILE_PX - CAPTION_PX) / pixels.shape[0])
        width, height = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
        tile[:height, :width] = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        for box, label in zip(image.boxes * scale, image.labels, strict=True):
            x1, y1, x2, y2 = (round(value) for value in box.tolist())
            cv2.rectangle(tile, (x1, y1), (x2, y2), class_color(labels.index(label)), 1)
    name = image.name.encode("ascii", "replace").decode()
    _draw_text(tile, name[-MAX_NAME_LENGTH:], (2, TILE_PX - 4))
    return tile


def _draw_text(
    image: Image,
    text: str,
    position: tuple[int, int],
    color: tuple[int, int, int] = TEXT_COLOR,
    size: float = 0.36,
) -> None:
    cv2.putText(image, text, position, cv2.FONT_HERSHEY_SIMPLEX, size, color, 1, cv2.LINE_AA)
