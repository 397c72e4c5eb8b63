"""Plain implementations of what happens before and after a network, for comparison."""

import numpy as np

TOLERANCE = 0.5
"""px of the image."""


def on_openvino(path):
    """Runs a file with OpenVINO: takes an input, returns the outputs in order."""
    import openvino as ov

    compiled = ov.Core().compile_model(str(path), "CPU", {"PERFORMANCE_HINT": "LATENCY"})

    def run(value):
        results = compiled(value)
        return [results[output] for output in compiled.outputs]

    return run


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
