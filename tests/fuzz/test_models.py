"""Random metadata and labels for outputs of random shapes: detections or one clear error."""

import json
import random

import numpy as np
import pytest

from tests.plugins.detectors.exported.decoding.graphs import graph
from vidan.errors import VidanError
from vidan.testing import blank
from vidan_plugins.detectors.onnx import OnnxDetector

from . import SEED

CELLS = 12 * 8 + 6 * 4 + 3 * 2
OUTPUTS = ["output0", "boxes", "scores", "labels", "dets", "logits", "pred_boxes", "num_dets"]
TEXTS = [
    "",
    "[",
    "{}",
    "None",
    "nan",
    "[17, 3]",
    "[-1, 3]",
    "[9e9, 9e9]",
    "\x1b[31m",
    "[/]",
    "é" * 99,
]
STRANGE = ["[/]", "\x1b[31m", "<b>", "a\nb", "\ud800", "${x}", "x" * 150]


def size(rng):
    return rng.choice([1, 2, 4, 5, 6, 7, 8, 37, 57, 100, 300, CELLS, 3 * CELLS])


def outputs(rng):
    found = {}
    for name in rng.sample(OUTPUTS, rng.choice([1, 1, 1, 2, 3, 4])):
        shape = [1, *(size(rng) for _ in range(rng.choice([1, 2, 2, 2, 3])))]
        if np.prod(shape) > 2_000_000:
            shape = shape[:3]
        values = np.random.default_rng(rng.randrange(9**9)).random(shape) * rng.choice([1, 1, 100])
        kind = rng.choice([np.float32, np.float32, np.float32, np.int64, np.int32])
        found[name] = values.astype(kind)
        if rng.random() < 0.1 and kind is np.float32:
            found[name].flat[rng.randrange(values.size)] = rng.choice([np.nan, np.inf, -1e30])
    return found


def metadata(rng):
    count = rng.choice([1, 2, 3, 80])
    names = [rng.choice(STRANGE) if rng.random() < 0.2 else f"c{n}" for n in range(count)]
    found = {}
    if rng.random() < 0.7:
        found["names"] = rng.choice(
            [ascii(dict(enumerate(names))), json.dumps(names), rng.choice(TEXTS)]
        )
    for key, values in {
        "task": ["detect", "segment", "pose", "obb", ""],
        "kpt_shape": TEXTS,
        "end2end": ["True", "False", "x"],
        "imgsz": ["[64, 96]", *TEXTS],
        "args": ["{'nms': True}", *TEXTS],
    }.items():
        if rng.random() < 0.25:
            found[key] = rng.choice(values)
    return found


@pytest.mark.parametrize("count", [40, pytest.param(2_000, marks=pytest.mark.fuzz)])
@pytest.mark.filterwarnings("error")
def test_random_models_end_in_detections_or_one_clear_error(tmp_path, count):
    rng = random.Random(f"{SEED} models")
    found = {"detections": 0, "error": 0}
    for number in range(count):
        properties, made = metadata(rng), outputs(rng)
        path = graph(tmp_path / f"{number}.onnx", made, properties=properties)
        labels = [f"given {n}" for n in range(rng.choice([1, 3, 80]))]
        context = (number, properties, {name: each.shape for name, each in made.items()})
        try:
            detector = OnnxDetector(
                str(path), labels=rng.choice([None, labels]), backend="onnxruntime", threads=1
            )
            (detections,) = detector.detect([blank(width=96, height=64)])
        except VidanError as error:
            text = str(error)
        except Exception as error:
            raise AssertionError(context) from error
        else:
            text = ""
            assert np.isfinite(detections.boxes).all(), context
            assert all(0 <= each < len(detector.labels) for each in detections.classes), context
        assert "\n" not in text, context
        found["error" if text else "detections"] += 1
        (tmp_path / f"{number}.onnx").unlink()
    assert min(found.values()) > 0, found
