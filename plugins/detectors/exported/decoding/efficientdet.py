"""EfficientDet and EfficientDet-Lite as google/automl exports them, through tf2onnx.

    image_arrays  uint8 [1,H,W,3]
    detections    float [1,K,7]   image id, y1, x1, y2, x2 in px of the image, score, class from 1

Source: efficientdet/tf2/postprocess.py in google/automl. Models in
vidan's native format need no decode.
"""

from __future__ import annotations

from ...preprocess import Preprocessing
from .base import (
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    class_ids,
    shape_of,
    swapped,
)

EXPECTS = (
    "vidan's native format (images uint8 to boxes and scores), or google/automl's: an output "
    "detections [1,K,7]: image id, y1, x1, y2, x2 in px, score, class from 1"
)
PREPROCESSING = Preprocessing(letterbox="corner", pad=(0.0, 0.0, 0.0), scale=255.0)
FIELDS = 7


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Candidates from one output [1,K,7]."""
    del size
    rows = outputs[0][0]
    return Candidates(swapped(rows[:, 1:5]), rows[:, 5], class_ids(rows[:, 6]))


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize such rows by a uint8 input or by the name of the output."""
    heads = info.floats(3)
    if len(heads) != 1 or info.outputs[heads[0]].shape[2] != FIELDS:
        return None
    if not (info.takes_integers or info.find("detections")):
        return None
    return OutputDecoding(
        reason=f"{shape_of(heads[0], info.outputs[heads[0]])}: rows of image id, y1, x1, y2, x2, "
        "score, class",
        outputs=(heads[0],),
        decode=decode,
        preprocessing=PREPROCESSING,
        first_label=0,
        suppressed=True,
        resizes=info.takes_integers,
    )


DECODE = Decode("efficientdet", EXPECTS, match)
