"""Faces and heads made unrecognizable in everything that leaves the pipeline."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..boxes import FloatArray
from ..errors import ConfigError
from ..frames import Frame, View
from ..images import Image, resize
from ..types import Result

log = logging.getLogger(__name__)

FACES = frozenset({"face", "faces", "mask", "masks", "weared", "head", "heads"})
"""A label with one of these words is that of a face, whose whole box is pixelated."""

PEOPLE = frozenset(
    [
        "adult",
        "adults",
        "baby",
        "bicyclist",
        "boy",
        "child",
        "children",
        "crew",
        "customer",
        "cyclist",
        "driver",
        "employee",
        "girl",
        "guard",
        "human",
        "humans",
        "kid",
        "kids",
        "man",
        "men",
        "motorcyclist",
        "passenger",
        "passengers",
        "pedestrian",
        "pedestrians",
        "people",
        "person",
        "persons",
        "player",
        "players",
        "rider",
        "riders",
        "shopper",
        "visitor",
        "woman",
        "women",
        "worker",
        "workers",
    ]
)
"""A label with one of these words is that of a person, whose head is in the upper part."""

CELLS = 4
"""Cells along the longer side of a region, at most, before it is enlarged to whole cells. Each has
one color, the mean of its pixels: no more of a face is left, unlike with a blur."""

CELL_SIZES = np.sort(np.outer([4, 6], 2 ** np.arange(12)).ravel())
"""Sides of cells, px. Cells are squares on a grid that is fixed in the image: a box that moves over
a face at rest shows no more of it than one that does not move."""

FACE_MARGIN = 0.2
"""What is pixelated around the box of a face, as a fraction of its width and height."""

HEAD_HEIGHT, HEAD_PER_WIDTH = 0.3, 0.6
"""The head is in this fraction of the height of a person's box, or of the width if that is more."""

HEAD_MARGIN = 0.1
"""What is pixelated around a head, as a fraction of the width and height of the person's box."""

KEEP_S = 0.5
"""How long the place of a box that is not found anymore stays pixelated, s of stream time."""

Regions = npt.NDArray[np.int64]
"""(N,5): left, top, right, bottom and the side of the cells, px. The first four are multiples of
the fifth and not clipped to the image."""


class Anonymizer:
    """Pixelates the faces of all boxes and tracks, also for a while after they were lost.

    Args:
        labels: of the detector.
        own_labels: the labels of its model that each of them stands for, so that people are
            blurred under any name.

    Raises:
        ConfigError: no label is that of a person or a face.
    """

    def __init__(self, labels: tuple[str, ...], own_labels: Sequence[Sequence[str]] = ()) -> None:
        words = [
            set(re.findall(r"[a-z]+", " ".join([label, *own]).lower()))
            for label, own in zip(labels, own_labels or [()] * len(labels), strict=True)
        ]
        is_face = np.array([bool(FACES & each) for each in words], bool)
        is_person = np.array([bool(PEOPLE & each) for each in words], bool) & ~is_face
        # The last element is that of tracks of an uncertain class, -1.
        self._is_face = np.append(is_face, is_face.all())
        self._is_person = np.append(is_person, not is_face.all())
        hidden = is_face | is_person
        if not hidden.any():
            raise ConfigError(
                "images=blur: the detector finds no people or faces, but "
                f"{', '.join(labels) or 'objects without labels'}"
            )
        if not hidden.all():
            log.info(
                "images=blur: pixelating %s, not %s",
                *(", ".join(np.array(labels)[which]) for which in (hidden, ~hidden)),
            )
        self._recent: deque[tuple[float, Regions]] = deque()  # stream time, regions

    def apply(self, result: Result, now: float | None = None) -> Result:
        """The result with a frame whose faces and heads are pixelated.

        Args:
            result: of the next frame.
            now: time, s, by which lost boxes are forgotten; None for that of the frame.
        """
        boxes = np.concatenate([result.detections.boxes, result.tracks.boxes]).astype(float)
        classes = np.concatenate([result.detections.classes, result.tracks.classes])
        found = _in_cells(self._regions(boxes, classes))
        now = result.frame.time if now is None else now
        while self._recent and not 0 <= now - self._recent[0][0] <= KEEP_S:
            self._recent.popleft()
        self._recent.append((now, found))
        # Also where faces were that seem to be found again: what overlaps them may be another face.
        regions = np.unique(np.concatenate([each for _, each in self._recent]), axis=0)
        return replace(result, frame=AnonymousFrame(result.frame, regions))

    def _regions(self, boxes: FloatArray, classes: npt.NDArray[np.int32]) -> FloatArray:
        """What to pixelate of boxes (N,4) px: (M,4) px, of people and faces only."""
        faces, people = self._is_face[classes], self._is_person[classes]
        width, height = (boxes[:, 2:] - boxes[:, :2]).T
        regions = boxes.copy()
        head = np.minimum(np.maximum(HEAD_HEIGHT * height, HEAD_PER_WIDTH * width), height)
        regions[people, 3] = (boxes[:, 1] + head)[people]
        margin = np.where(faces, FACE_MARGIN, HEAD_MARGIN)[:, None]
        around = margin * np.stack([width, np.where(faces, height, head)], axis=1)
        regions[:, :2] -= around
        regions[:, 2:] += around
        chosen: FloatArray = regions[faces | people]
        return chosen


class AnonymousFrame(View):
    """A frame with regions that are pixelated.

    Args:
        frame: the frame.
        regions: parts outside of the image have no effect.

    Attributes:
        regions: as given.
    """

    __slots__ = ("regions",)

    def __init__(self, frame: Frame, regions: Regions) -> None:
        super().__init__(frame, frame.width, frame.height)
        self.regions = regions

    def _make_rgb(self) -> Image:
        image = self._frame.rgb().copy()
        size = np.array([self.width, self.height] * 2)
        for cell in np.unique(self.regions[:, 4]).tolist():
            of_cell = self.regions[self.regions[:, 4] == cell, :4]
            cells = (of_cell.clip(0, -(-size // cell) * cell)) // cell
            _pixelate(image, self._frame.rgb(), cell, cells)
        return image

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB."""
        return resize(self.rgb(), width, height)


def _in_cells(regions: FloatArray) -> Regions:
    """Regions (N,4) px, enlarged to whole cells."""
    longer = (regions[:, 2:] - regions[:, :2]).max(axis=1, initial=0)
    cell = CELL_SIZES[np.searchsorted(CELL_SIZES[:-1], longer / CELLS)][:, None]
    low, high = np.floor(regions[:, :2] / cell), np.ceil(regions[:, 2:] / cell)
    whole: Regions = np.hstack([low * cell, high * cell, cell]).astype(np.int64)
    return whole


def _pixelate(image: Image, original: Image, cell: int, regions: npt.NDArray[np.int64]) -> None:
    """Replace regions of an image by the means of the original's cells, in place.

    Args:
        image: (H,W,3) uint8.
        original: (H,W,3) uint8.
        cell: side of a cell, px.
        regions: (N,4) left, top, right, bottom, in cells, within the image.
    """
    import cv2  # here, so that `import vidan` loads no image library

    left, top = regions[:, :2].min(axis=0)
    columns, rows = regions[:, 2:].max(axis=0) - (left, top)
    if columns <= 0 or rows <= 0:
        return
    chosen = np.zeros((rows, columns), np.uint8)
    for x0, y0, x1, y1 in (regions - (left, top, left, top)).tolist():
        chosen[y0:y1, x0:x1] = 1
    around = np.s_[top * cell : (top + rows) * cell, left * cell : (left + columns) * cell]
    part, target = original[around], image[around]
    height, width, _ = part.shape
    beyond = rows * cell - height, columns * cell - width  # cells that the image's edges cut
    whole = cv2.copyMakeBorder(part, 0, beyond[0], 0, beyond[1], cv2.BORDER_REPLICATE)
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    size, nearest = (whole.shape[1], whole.shape[0]), cv2.INTER_NEAREST
    colors = cv2.resize(means, size, interpolation=nearest)[:height, :width]
    cv2.copyTo(colors, cv2.resize(chosen, size, interpolation=nearest)[:height, :width], target)
