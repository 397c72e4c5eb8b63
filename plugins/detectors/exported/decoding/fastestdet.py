"""FastestDet: one grid, at stride 16.

    float [1,5+C,h,w]   objectness; x, y, w, h before tanh and sigmoid; a softmax of the classes

The score is objectness^0.6 * class^0.4, as in its own code. Source: test.py and
example/onnx-runtime in github.com/dog-qiuqiu/FastestDet.
"""

from __future__ import annotations

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
    sigmoid,
)
from .grid import cells, grid_shape, rows

EXPECTS = "one output [1,5+C,h,w] at stride 16: objectness, box, softmax of the classes"
PREPROCESSING = Preprocessing(letterbox="stretch", channels="bgr")
STRIDE = 16
OBJECTNESS_POWER, CLASS_POWER = 0.6, 0.4
SUM_TOLERANCE = 0.01


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Boxes, and the score and the class of the best one, of one output [1,5+C,h,w]."""
    numbers = rows(outputs[0])
    centers = cells(size, (STRIDE,)).corners + np.tanh(numbers[:, 1:3]) * STRIDE
    sides = sigmoid(numbers[:, 3:5]) * np.array(size[::-1], np.float32)
    scores = numbers[:, :1] ** OBJECTNESS_POWER * numbers[:, 5:] ** CLASS_POWER
    return best_class(corners(np.concatenate([centers, sides], axis=1)), scores)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such a grid."""
    name = info.only(4)
    if name is None or info.takes_integers:
        return None
    array = info.outputs[name]
    classes = array.shape[1] - 5
    if classes < 1 or array.shape[2:] != grid_shape(info.size, STRIDE):
        return None
    sums = array[0, 5:].sum(axis=0)
    if not are_probabilities(array[0, 0]) or np.abs(sums - 1).max() > SUM_TOLERANCE:
        return None
    return OutputDecoding(
        reason=f"{shape_of(name, array)}: cells of objectness, box and {classes} classes",
        outputs=(name,),
        decode=decode,
        preprocessing=PREPROCESSING,
        max_label=classes,
    )


DECODE = Decode("fastestdet", EXPECTS, match)
