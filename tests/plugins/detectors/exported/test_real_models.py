"""Public models on a street: boxes are those of a plain implementation.

The plain implementations are written from the documentation of each model: the raw library, and
loops. They have vidan's images at the size of the input, since how an image is scaled is tested
elsewhere.
"""

import av
import numpy as np
import pytest

from vidan.frames import ArrayFrame
from vidan.modelspec import letterbox
from vidan_plugins.detectors import onnx as module
from vidan_plugins.detectors.onnx import OnnxDetector

from .plain import match, on_openvino

THRESHOLD = 0.3


@pytest.fixture(scope="module")
def frames(data):
    """Every 100th frame of a street with people."""
    with av.open(str(data / "video/MOT16-09.mp4")) as container:
        images = [
            frame.to_ndarray(format="rgb24")
            for index, frame in zip(range(401), container.decode(video=0), strict=False)
            if index % 100 == 0
        ]
    return [
        ArrayFrame(rgb, index=i, time=0.0, captured=0.0, stream="street")
        for i, rgb in enumerate(images)
    ]


@pytest.fixture
def openvino(monkeypatch, tmp_path, _onnx_runtime_unless_told):
    """OpenVINO with an empty cache; skips where it is not installed."""
    pytest.importorskip("openvino")
    monkeypatch.setattr(module, "OPENVINO", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def stretched(frame, width, height):
    """The image (H,W,3) RGB at the size of the input, and the scale along x and y."""
    return frame.resized(width, height), (width / frame.width, height / frame.height)


def cornered(frame, width, height, pad):
    """The image at the top left of an input, and its scale."""
    placed = letterbox(frame.width, frame.height, (height, width))
    image = np.full((height, width, 3), pad, np.uint8)
    image[: placed.height, : placed.width] = frame.resized(placed.width, placed.height)
    return image, tuple(placed.scale)


def agree(detector, frames, plain, least):
    """Check that all detections are those of a plain implementation, and that there are some."""
    count = 0
    for frame in frames:
        (found,) = detector.detect([frame])
        expected = [(label, score, box) for label, score, box in plain(frame) if score >= THRESHOLD]
        match(found, detector.labels, expected, (frame.width, frame.height))
        count += len(found)
    assert count >= least


@pytest.mark.parametrize(("name", "width", "height"), [("2003", 864, 480), ("2004", 448, 256)])
def test_person_vehicle_bike(data, frames, openvino, name, width, height):
    (path,) = data.glob(f"models/omz_pvb_{name}/*.xml")
    run = on_openvino(path)

    def plain(frame):
        image, (x, y) = stretched(frame, width, height)
        bgr = image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        boxes, labels = run(bgr)
        for (x1, y1, x2, y2, score), label in zip(boxes, labels, strict=True):
            yield ("vehicle", "person", "bike")[label], score, (x1 / x, y1 / y, x2 / x, y2 / y)

    agree(OnnxDetector(str(path), threshold=THRESHOLD), frames, plain, least=20)
