"""YOLOX: one box per cell, with objectness.

    float [1,N,5+C]   x, y in strides from the cell's corner; logarithms of width and height in
                      strides; objectness; a score per class
    float [1,N,5+C]   the same after its own decoding (`--decode_in_inference`): cx, cy, w, h in px

Source: yolox/utils/demo_utils.py and tools/export_onnx.py in Megvii-BaseDetection/YOLOX. Images
as since its release 0.1.1: BGR from 0 to 255, at the top left.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ...preprocess import Preprocessing
from .base import (
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    are_probabilities,
    best_class,
    corners,
    shape_of,
)
from .grid import cells, count_cells

EXPECTS = "one output [1,N,5+C] with a box for each cell of the grids at strides 8, 16 and 32"
PREPROCESSING = Preprocessing(letterbox="corner", channels="bgr", scale=255.0)
BOX_FIELDS = 4


def decode(outputs: Outputs, size: Size, *, decoded: bool) -> Candidates:
    """Boxes, and the score and the class of the best one, of one output [1,N,5+C]."""
    rows = outputs[0][0]
    boxes = rows[:, :BOX_FIELDS]
    if not decoded:
        grid = cells(size)
        centers = boxes[:, :2] * grid.strides + grid.corners
        boxes = np.concatenate([centers, np.exp(boxes[:, 2:]) * grid.strides], axis=1)
    objectness = rows[:, BOX_FIELDS : BOX_FIELDS + 1]
    return best_class(corners(boxes), rows[:, BOX_FIELDS + 1 :] * objectness)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such a head by the number of its boxes and by its scores."""
    name = info.only(3)
    if name is None or info.takes_integers:
        return None
    rows = info.outputs[name][0]
    classes = rows.shape[1] - BOX_FIELDS - 1
    own = None if info.own_labels is None else max(info.own_labels)
    if len(rows) != count_cells(info.size) or classes < 1 or own not in (None, classes):
        return None
    if not are_probabilities(rows[:, BOX_FIELDS:]) or has_constant_objectness(rows):
        return None
    decoded = bool(np.abs(rows[:, :2]).max() > max(info.size) / 2)
    boxes = "cx, cy, w, h in px" if decoded else "x, y, log w, log h in strides"
    return OutputDecoding(
        reason=f"{shape_of(name, info.outputs[name])}: {len(rows)} cells of {boxes}, objectness, "
        f"{classes} scores",
        outputs=(name,),
        decode=partial(decode, decoded=decoded),
        preprocessing=PREPROCESSING,
        max_label=classes,
    )


def has_constant_objectness(rows: np.ndarray) -> bool:
    """Whether all boxes are objects for sure, as in YOLOv6, which has no objectness."""
    return bool((np.abs(rows[:, BOX_FIELDS] - 1) < 1e-3).all())


DECODE = Decode("yolox", EXPECTS, match)
