"""Contact sheets: images with their boxes, side by side."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidan.errors import SinkError, SourceError
from vidan.types import Image

from ..data.formats import Picture

TILE = 240  # px
STRIP = 16  # for the name, px
COLUMNS = 8


def write_sheet(
    path: Path, pictures: Sequence[Picture], labels: Sequence[str], columns: int = COLUMNS
) -> None:
    """Draw images with boxes, a color for each label; a legend on top.

    Raises:
        SinkError: the file cannot be written.
    """
    columns = min(columns, max(1, len(pictures)))
    rows = -(-len(pictures) // columns)
    sheet = np.full((STRIP * 2 + rows * TILE, columns * TILE, 3), 24, np.uint8)
    _legend(sheet, labels)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        y, x = STRIP * 2 + row * TILE, column * TILE
        sheet[y : y + TILE, x : x + TILE] = _tile(picture, labels)
    encoded = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1]
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise SinkError(f"cannot write {str(path)!r}: {error.strerror}") from error


def color(index: int) -> tuple[int, int, int]:
    """A bright color (RGB) for a class: hues by the golden ratio, so that neighbors differ."""
    red, green, blue = colorsys.hsv_to_rgb(0.33 + index * 0.618034, 0.85, 1.0)
    return int(red * 255), int(green * 255), int(blue * 255)


def _legend(sheet: Image, labels: Sequence[str]) -> None:
    x = 4
    for index, label in enumerate(labels):
        _text(sheet, label, (x, 20), color(index), 0.5)
        x += cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)[0][0] + 16


def _tile(picture: Picture, labels: Sequence[str]) -> Image:
    """(TILE,TILE,3): the image scaled to fit, and its name."""
    tile = np.full((TILE, TILE, 3), 24, np.uint8)
    try:
        image = picture.file.decode()
    except SourceError:
        _text(tile, "broken", (8, TILE // 2), (255, 80, 80), 0.6)
    else:
        scale = min((TILE - 2) / image.shape[1], (TILE - STRIP) / image.shape[0])
        width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
        tile[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        for box, label in zip(picture.boxes * scale, picture.labels, strict=True):
            x1, y1, x2, y2 = (round(value) for value in box.tolist())
            cv2.rectangle(tile, (x1, y1), (x2, y2), color(labels.index(label)), 1)
    _text(tile, picture.name.encode("ascii", "replace").decode()[-34:], (2, TILE - 4))
    return tile


def _text(
    image: Image,
    text: str,
    place: tuple[int, int],
    ink: tuple[int, int, int] = (220, 220, 220),
    size: float = 0.36,
) -> None:
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
