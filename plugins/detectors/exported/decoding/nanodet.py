"""NanoDet and NanoDet-Plus: one box per cell, its distances as distributions.

    NanoDet-Plus   float [1,N,C+32]   strides 8 to 64, scores, four distributions over 0 to 7
    NanoDet        float [1,N,C+32]   strides 8 to 32, distances from the centers of the cells
    NanoDet 0.x    float [1,n,C] and [1,n,32] for each stride

Plus measures the distances from the top left corners of the cells. Sources: nanodet_plus_head.py
and gfl_head.py in github.com/RangiLyu/nanodet, with the images of its configurations.
"""

from __future__ import annotations

from functools import partial

from ...preprocess import Preprocessing
from .base import (
    IMAGENET_BGR,
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    are_probabilities,
    shape_of,
)
from .grid import BINS, STRIDES, STRIDES_4, around, cells, count_cells, expected_distances, joined

EXPECTS = (
    "one output [1,N,C+32] with a box for each cell of the grids at strides 8, 16, 32 and "
    "possibly 64, or outputs [1,n,C] and [1,n,32] for each stride"
)
DISTRIBUTIONS = 4 * BINS
"""Numbers that describe a box."""


def decode(outputs: Outputs, size: Size, *, strides: tuple[int, ...], offset: float) -> Candidates:
    """Boxes and scores of one output [1,N,C+32], or of one [1,n,C] and [1,n,32] per stride.

    Args:
        outputs: one; or the scores of all strides, and then their distributions.
        size: of the input.
        strides: of the grids.
        offset: of the points that the distances are measured from, in strides from the top left
            corner of each cell.
    """
    if len(outputs) == 1:
        rows = outputs[0][0]
        scores, logits = rows[:, :-DISTRIBUTIONS], rows[:, -DISTRIBUTIONS:]
    else:
        scores, logits = joined([each[0] for each in outputs])
    grid = cells(size, strides)
    points = grid.corners + offset * grid.strides
    return Candidates(around(points, expected_distances(logits) * grid.strides), scores)


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such heads by the number of their boxes."""
    if info.takes_integers:
        return None
    return _joined(info) or match_separate(info, STRIDES, IMAGENET_BGR)


def _joined(info: ModelInfo) -> OutputDecoding | None:
    name = info.only(3)
    if name is None:
        return None
    array = info.outputs[name]
    _, count, fields = array.shape
    classes = fields - DISTRIBUTIONS
    plus = count == count_cells(info.size, STRIDES_4)
    if classes < 1 or not (plus or count == count_cells(info.size)):
        return None
    # YOLOX has as many boxes, but scores to the end.
    if not are_probabilities(array[..., :classes]) or are_probabilities(array[..., classes:]):
        return None
    strides = STRIDES_4 if plus else STRIDES
    return OutputDecoding(
        reason=f"{shape_of(name, array)}: {count} cells at strides {strides[0]} to {strides[-1]}, "
        f"{classes} scores, distances as distributions",
        outputs=(name,),
        decode=partial(decode, strides=strides, offset=0.0 if plus else 0.5),
        preprocessing=IMAGENET_BGR,
        max_label=classes,
    )


def match_separate(
    info: ModelInfo, strides: tuple[int, ...], preprocessing: Preprocessing
) -> OutputDecoding | None:
    """Recognize scores [1,n,C] and distributions [1,n,32] for each of these strides."""
    names = info.floats(3)
    if len(names) != len(info.outputs) or len(names) != 2 * len(strides):
        return None
    names.sort(key=lambda name: -info.outputs[name].shape[1])
    boxes = [name for name in names if info.outputs[name].shape[2] == DISTRIBUTIONS]
    scores = [name for name in names if name not in boxes]
    counts = [count_cells(info.size, [stride]) for stride in strides]
    for part in (boxes, scores):
        if [info.outputs[name].shape[1] for name in part] != counts:
            return None
    classes = info.outputs[scores[0]].shape[2]
    if any(info.outputs[name].shape[2] != classes for name in scores):
        return None
    return OutputDecoding(
        reason=f"{len(names)} outputs, {classes} scores and distances as distributions at strides "
        f"{strides[0]} to {strides[-1]}",
        outputs=(*scores, *boxes),
        decode=partial(decode, strides=strides, offset=0.5),
        preprocessing=preprocessing,
        max_label=classes,
    )


DECODE = Decode("nanodet", EXPECTS, match)
