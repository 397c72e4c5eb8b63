"""Faces and heads made unrecognizable in everything that leaves the pipeline."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..boxes import FloatArray, iou
from ..errors import ConfigError
from ..frames import Frame, View
from ..images import Image, resize
from ..types import Result

FACES = frozenset({"face", "faces", "mask", "masks", "weared", "head", "heads"})
"""A label with one of these words is that of a face, whose whole box is pixelated."""

PEOPLE = frozenset({"person", "people", "pedestrian", "man", "woman", "child", "rider", "cyclist"})
"""A label with one of these words is that of a person, whose head is in the upper part."""

CELLS = 4
"""Cells along the longer side of a region. Each has one color, the mean of its pixels: nothing else
is left of a face, so that no filter can bring it back, unlike a blur, which can be inverted."""

FACE_MARGIN = 0.2
"""What is pixelated around the box of a face, as a fraction of its width and height."""

HEAD_HEIGHT, HEAD_PER_WIDTH = 0.3, 0.6
"""The head is in this fraction of the height of a person's box, or of the width if that is more."""

HEAD_MARGIN = 0.1
"""What is pixelated around a head, as a fraction of the width and height of the person's box."""

KEEP_S = 0.5
"""How long the place of a box that is not found anymore stays pixelated, s of stream time."""

SAME_IOU = 0.3
"""A box that overlaps a current one by this much has been found again."""

Regions = npt.NDArray[np.int64]


class Anonymizer:
    """Pixelates the faces of all boxes and tracks, also for a while after they were lost.

    Args:
        labels: of the detector.

    Raises:
        ConfigError: no label is that of a person or a face.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        words = [set(re.findall(r"[a-z]+", label.lower())) for label in labels]
        is_face = np.array([bool(FACES & each) for each in words], bool)
        is_person = np.array([bool(PEOPLE & each) for each in words], bool) & ~is_face
        # The last element is that of tracks of an uncertain class, -1.
        self._is_face = np.append(is_face, is_face.all())
        self._is_person = np.append(is_person, not is_face.all())
        if not (is_face | is_person).any():
            raise ConfigError(
                f"images=blur: the detector finds no people or faces, only {', '.join(labels)}"
            )
        self._recent: deque[tuple[float, FloatArray]] = deque()  # stream time, regions (N,4)

    def apply(self, result: Result) -> Result:
        """The result with a frame whose faces and heads are pixelated."""
        boxes = np.concatenate([result.detections.boxes, result.tracks.boxes]).astype(float)
        classes = np.concatenate([result.detections.classes, result.tracks.classes])
        found = self._regions(boxes, classes)
        now = result.frame.time
        while self._recent and not 0 <= now - self._recent[0][0] <= KEEP_S:
            self._recent.popleft()
        lost = [r[_unmatched(r, found)] for _, r in self._recent]
        self._recent.append((now, found))
        frame = AnonymousFrame(result.frame, np.concatenate([found, *lost]))
        return replace(result, frame=frame)

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
        regions: (N,4) left, top, right, bottom, px; parts outside of the image have no effect.
    """

    __slots__ = ("_regions",)

    def __init__(self, frame: Frame, regions: FloatArray) -> None:
        super().__init__(frame, frame.width, frame.height)
        size = [frame.width, frame.height] * 2
        whole = np.concatenate([np.floor(regions[:, :2]), np.ceil(regions[:, 2:])], axis=1)
        self._regions: Regions = whole.clip(0, size).astype(np.int64)

    def _make_rgb(self) -> Image:
        image = self._frame.rgb().copy()
        for left, top, right, bottom in self._regions.tolist():
            if left < right and top < bottom:
                _pixelate(image[top:bottom, left:right])
        return image

    def resized(self, width: int, height: int) -> Image:
        """The image scaled to (height,width,3) uint8 RGB."""
        return resize(self.rgb(), width, height)


def _unmatched(regions: FloatArray, current: FloatArray) -> npt.NDArray[np.bool_]:
    if not len(regions) or not len(current):
        return np.ones(len(regions), bool)
    unmatched: npt.NDArray[np.bool_] = iou(regions, current).max(axis=1) < SAME_IOU
    return unmatched


def _pixelate(part: Image) -> None:
    """Replace a part of an image by the means of a few cells, in place."""
    height, width, _ = part.shape
    cell = max(1.0, max(height, width) / CELLS)
    rows, columns = (
        np.linspace(0, length, max(1, round(length / cell)) + 1).astype(int)
        for length in (height, width)
    )
    sums = np.add.reduceat(part.astype(np.uint32), rows[:-1], axis=0)
    sums = np.add.reduceat(sums, columns[:-1], axis=1)
    sizes = np.diff(rows)[:, None, None] * np.diff(columns)[None, :, None]
    means = (sums // sizes).astype(np.uint8)
    part[:] = means.repeat(np.diff(rows), axis=0).repeat(np.diff(columns), axis=1)
