"""CenterNet with its decoding in the graph.

    float [1,K,6]   x1, y1, x2, y2 in px of a map at stride 4, score, class from 0

End-to-end YOLO has the same shape, in px of the input. Which one it is follows from the largest
coordinate: CenterNet's K best points lie all over the map. Source: ctdet_decode in
src/lib/models/decode.py in github.com/xingyizhou/CenterNet, whose images are used.
"""

from __future__ import annotations

import numpy as np

from vidan.boxes import FloatArray

from ...preprocess import Preprocessing
from .base import Candidates, Decode, ModelInfo, OutputDecoding, Outputs, Size, class_ids, shape_of

EXPECTS = "one output [1,K,6]: x1, y1, x2, y2 in px of a map at stride 4, score, class from 0"
PREPROCESSING = Preprocessing(
    letterbox="center",
    pad=(0.0, 0.0, 0.0),
    channels="bgr",
    mean=(0.470, 0.447, 0.408),
    std=(0.278, 0.274, 0.289),
)
STRIDE = 4
POINTS = 100
"""Its default K; end-to-end YOLO has 300."""

SLACK = 1.25
"""How far its boxes may reach beyond the map, relative to it."""


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of one output [1,K,6]."""
    del size
    rows = outputs[0][0]
    return Candidates(rows[:, :4] * STRIDE, rows[:, 4], class_ids(rows[:, 5]))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such rows."""
    name = info.only(3)
    if name is None or info.takes_integers or info.own_labels is not None:
        return None
    array = info.outputs[name]
    if array.shape[1:] != (POINTS, 6) or not on_a_map(array[0], info.size):
        return None
    return OutputDecoding(
        reason=f"{shape_of(name, array)}: rows of x1, y1, x2, y2 in px of a quarter, score, class",
        outputs=(name,),
        decode=decode,
        preprocessing=PREPROCESSING,
        guess="CenterNet, since no box of a blank image reaches beyond a quarter of the input",
    )


def on_a_map(rows: FloatArray, size: Size) -> bool:
    """Whether all boxes of rows (K,6) lie in a quarter of the input, and are not fractions."""
    largest = rows[:, 2:4].max(axis=0)
    limits = np.array(size[::-1]) / STRIDE * SLACK
    return bool((largest <= limits).all() and largest.max() > 2)


DECODE = Decode("centernet", EXPECTS, match)
