"""Plain implementations of what happens before and after a network, for comparison."""

import math

import numpy as np
import onnxruntime

TOLERANCE = 0.5
"""px of the image."""


def on_openvino(path):
    """Runs a file with OpenVINO in float32: takes an input, returns the outputs in order."""
    import openvino as ov

    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(str(path), "CPU", settings)

    def run(value):
        results = compiled(value)
        return [results[output] for output in compiled.outputs]

    return run


def on_onnx_runtime(path):
    """Runs a file with ONNX Runtime: takes an input, returns the outputs in order."""
    session = onnxruntime.InferenceSession(str(path))
    (image,) = session.get_inputs()
    return lambda value: session.run(None, {image.name: value})


def on_litert(path):
    """Runs a file with LiteRT: takes an input, returns the outputs in the order of the file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()

    def run(value):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
        interpreter.invoke()
        return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]

    return run


def suppressed(candidates, iou_threshold=0.5):
    """Greedy suppression of (label, score, box), best first, for each label alone."""
    kept = []
    for label, score, box in sorted(candidates, key=lambda each: -each[1]):
        if all(other != label or iou(box, each) <= iou_threshold for other, _, each in kept):
            kept.append((label, score, box))
    return kept


def iou(a, b):
    """Intersection over union of two boxes, xyxy."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return both / (sum(areas) - both)


def sigmoid(x):
    """The logistic function of a number."""
    return 1 / (1 + math.exp(-x))


def grid_cells(width, height, strides):
    """Column, row and stride of each cell, row by row, the finest grid first."""
    for stride in strides:
        for row in range(math.ceil(height / stride)):
            for column in range(math.ceil(width / stride)):
                yield column, row, stride


def match(found, labels, expected, size):
    """Check that detections are those expected: label, score and box, clipped to the image.

    Args:
        found: Detections.
        labels: of the detector.
        expected: label, score and box (xyxy, px of the image).
        size: width and height of the image.
    """
    limits = np.array([*size, *size])
    rest = [
        (label, score, np.clip(box, 0, limits))
        for label, score, box in expected
        if (np.clip(box, 0, limits)[2:] > np.clip(box, 0, limits)[:2]).all()
    ]
    assert len(found) == len(rest)
    for box, score, index in zip(found.boxes, found.scores, found.classes, strict=True):
        gaps = [
            np.abs(box - other).max() if label == labels[index] else np.inf
            for label, _, other in rest
        ]
        nearest = int(np.argmin(gaps))
        assert gaps[nearest] <= TOLERANCE
        assert abs(rest.pop(nearest)[1] - score) < 0.01
