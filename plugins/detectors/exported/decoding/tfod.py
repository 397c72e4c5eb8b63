"""The TensorFlow Object Detection API through tf2onnx, with and without NMS in the graph.

    detection_boxes      float [1,K,4]    yxyx in fractions of the image } suppressed,
    detection_scores     float [1,K]                                      } ids from 1
    detection_classes    float [1,K]                                      }
    num_detections       float [1]                                        }
    raw_detection_boxes  float [1,N,4]    yxyx in fractions of the image } not suppressed
    raw_detection_scores float [1,N,C+1]  the background first, or [1,N,C]}

    any name             float [1,N,1,4]  yxyx in fractions of the image } tf.js: not suppressed,
    any name             float [1,N,C]    without the background        } takes 0 to 255

The first four are preferred. `TFLite_Detection_PostProcess` and its `:1` to
`:3` are the same in a TFLite file, with ids from 0. Sources: object_detection/
exporter_lib_v2.py in tensorflow/models; tensorflow/lite/kernels/detection_postprocess.cc.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from vidan.errors import ModelError

from ...preprocess import Preprocessing
from .base import (
    MAX_FRACTION,
    Candidates,
    Decode,
    ModelInfo,
    OutputDecoding,
    Outputs,
    Size,
    class_ids,
    in_px,
    shape_of,
    swapped,
)

EXPECTS = (
    "outputs detection_boxes [1,K,4], detection_scores [1,K], detection_classes [1,K], "
    "num_detections [1], or raw_detection_boxes [1,N,4] and raw_detection_scores [1,N,C+1], or "
    "boxes [1,N,1,4] and scores [1,N,C]"
)
COCO_WITHOUT_BACKGROUND = 90
_LITE = "TFLite_Detection_PostProcess"

BYTES = Preprocessing(letterbox="stretch", scale=255.0)
FLOATS = Preprocessing(letterbox="stretch", scale=2.0, mean=(1.0, 1.0, 1.0))
"""From -1 to 1, as the API's MobileNets expect unless the graph normalizes itself."""


def decode(outputs: Outputs, size: Size) -> Candidates:
    """Candidates of boxes [1,K,4], scores [1,K], classes [1,K] and the count [1]."""
    count = int(outputs[3].reshape(-1)[0])
    boxes, scores, ids = (array[0][:count] for array in outputs[:3])
    largest = np.nanmax(np.abs(boxes), initial=0.0)
    if largest > MAX_FRACTION:
        raise ModelError(
            f"expected detection_boxes in fractions of the image, got numbers up to {largest:g}: "
            "export it with them, or give the outputs the names of another decode"
        )
    return Candidates(in_px(swapped(boxes), size), scores, class_ids(ids))


def decode_raw(outputs: Outputs, size: Size, *, background: bool) -> Candidates:
    """Candidates of boxes [1,N,4] or [1,N,1,4] and scores [1,N,C], possibly a background first."""
    boxes, scores = outputs[0].reshape(-1, 4), outputs[1][0]
    return Candidates(in_px(swapped(boxes), size), scores[:, int(background) :])


def match(info: ModelInfo) -> OutputDecoding | None:
    """Recognize outputs of these names."""
    preprocessing = BYTES if info.takes_integers else FLOATS
    for kind, first, *names in (
        ("", 0, "detection_boxes", "detection_scores", "detection_classes", "num_detections"),
        (" of TFLite", 1, _LITE, f"{_LITE}:2", f"{_LITE}:1", f"{_LITE}:3"),
    ):
        found = [info.find(name) for name in names]
        if None not in found:
            outputs = tuple(name for name in found if name is not None)
            return OutputDecoding(
                reason=f"outputs{kind} {', '.join(outputs)}: suppressed in the graph",
                outputs=outputs,
                decode=decode,
                preprocessing=preprocessing,
                max_label=_classes(info),
                first_label=first,
                suppressed=True,
                resizes=info.takes_integers,
            )
    return _raw(info, preprocessing) or _of_tfjs(info)


def _raw(info: ModelInfo, preprocessing: Preprocessing) -> OutputDecoding | None:
    boxes, scores = info.find("raw_detection_boxes"), info.find("raw_detection_scores")
    if boxes is None or scores is None or info.outputs[scores].ndim != 3:
        return None
    background = _has_background(info.outputs[scores].shape[2], info.max_label)
    seen = "the background first" if background else "no background"
    return OutputDecoding(
        reason=f"{shape_of(boxes, info.outputs[boxes])} and "
        f"{shape_of(scores, info.outputs[scores])}, {seen}: not suppressed in the graph",
        outputs=(boxes, scores),
        decode=partial(decode_raw, background=background),
        preprocessing=preprocessing,
        max_label=info.outputs[scores].shape[2] - background,
        resizes=info.takes_integers,
    )


def _of_tfjs(info: ModelInfo) -> OutputDecoding | None:
    boxes, scores = info.floats(4), info.floats(3)
    if len(boxes) != 1 or len(scores) != 1 or len(info.outputs) != 2:
        return None
    array = info.outputs[scores[0]]
    if info.outputs[boxes[0]].shape != (1, array.shape[1], 1, 4):
        return None
    background = array.shape[2] - 1 in (info.max_label, COCO_WITHOUT_BACKGROUND)
    return OutputDecoding(
        reason=f"{shape_of(boxes[0], info.outputs[boxes[0]])} and {shape_of(scores[0], array)}, "
        f"{'the background first' if background else 'no background'}: a tf.js export",
        outputs=(boxes[0], scores[0]),
        decode=partial(decode_raw, background=background),
        preprocessing=BYTES,
        max_label=array.shape[2] - background,
        resizes=info.takes_integers,
    )


def _classes(info: ModelInfo) -> int | None:
    """Number of classes without the background, if the raw scores tell."""
    raw = info.find("raw_detection_scores")
    if raw is None or info.outputs[raw].ndim != 3:
        return None
    columns: int = info.outputs[raw].shape[2]
    return columns - _has_background(columns, info.max_label)


def _has_background(columns: int, most: int | None) -> bool:
    """Whether the scores begin with the background, which the API adds by default."""
    return columns != (COCO_WITHOUT_BACKGROUND if most is None else most)


DECODE = Decode("tfod", EXPECTS, match)
