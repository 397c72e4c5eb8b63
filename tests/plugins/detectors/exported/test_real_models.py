"""Public models on a street: boxes are those of a plain implementation.

The plain implementations are written from the documentation of each model: the raw library, and
loops. They have vidan's images at the size of the input, since how an image is scaled is tested
elsewhere.
"""

import math

import av
import numpy as np
import pytest

from vidan.frames import ArrayFrame
from vidan.modelspec import letterbox
from vidan_plugins.detectors import engine as module
from vidan_plugins.detectors.labels import COCO, COCO_IDS
from vidan_plugins.detectors.onnx import OnnxDetector

from .plain import (
    grid_cells,
    match,
    on_litert,
    on_onnx_runtime,
    on_openvino,
    sigmoid,
    suppressed,
)

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


def test_yolox(data, frames):
    path = data / "models/yolox_nano/yolox_nano_416.onnx"
    run = on_onnx_runtime(path)

    def plain(frame):
        image, (sx, sy) = cornered(frame, 416, 416, 114)
        (rows,) = run(image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
        found = []
        for (column, row, stride), numbers in zip(
            grid_cells(416, 416, (8, 16, 32)), rows[0], strict=True
        ):
            best = int(numbers[5:].argmax())
            score = numbers[4] * numbers[5 + best]
            if score < THRESHOLD:
                continue
            x, y = (numbers[0] + column) * stride, (numbers[1] + row) * stride
            w, h = math.exp(numbers[2]) * stride, math.exp(numbers[3]) * stride
            box = (x - w / 2) / sx, (y - h / 2) / sy, (x + w / 2) / sx, (y + h / 2) / sy
            found.append((COCO[best + 1], score, box))
        return suppressed(found)

    agree(OnnxDetector(str(path), threshold=THRESHOLD), frames, plain, least=20)


def test_nanodet_plus(data, frames):
    path = data / "models/nanodet_plus_m_416/nanodet-plus-m_416.onnx"
    run = on_onnx_runtime(path)

    def plain(frame):
        image, (sx, sy) = stretched(frame, 416, 416)
        bgr = image[..., ::-1].astype(np.float32)
        value = (bgr - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
        (rows,) = run(value.transpose(2, 0, 1)[None].astype(np.float32))
        found = []
        for (column, row, stride), numbers in zip(
            grid_cells(416, 416, (8, 16, 32, 64)), rows[0], strict=True
        ):
            for best in np.flatnonzero(numbers[:80] >= THRESHOLD):
                sides = []
                for side in range(4):
                    powers = [math.exp(x) for x in numbers[80 + 8 * side : 88 + 8 * side]]
                    mean = sum(i * power for i, power in enumerate(powers)) / sum(powers)
                    sides.append(mean * stride)
                x, y = column * stride, row * stride
                left, top, right, bottom = sides
                box = (x - left) / sx, (y - top) / sy, (x + right) / sx, (y + bottom) / sy
                found.append((COCO[int(best) + 1], numbers[best], box))
        return suppressed(found)

    agree(OnnxDetector(str(path), threshold=THRESHOLD), frames, plain, least=20)


def test_fastestdet(data, frames):
    path = data / "models/fastestdet/fastestdet_352.onnx"
    run = on_onnx_runtime(path)

    def plain(frame):
        image, _ = stretched(frame, 352, 352)
        bgr = image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
        (grid,) = run(bgr)
        found = []
        for column, row, _ in grid_cells(352, 352, (16,)):
            numbers = grid[0, :, row, column]
            best = int(numbers[5:].argmax())
            score = numbers[0] ** 0.6 * numbers[5 + best] ** 0.4
            if score < THRESHOLD:
                continue
            x = (column + math.tanh(numbers[1])) / 22 * frame.width
            y = (row + math.tanh(numbers[2])) / 22 * frame.height
            w, h = sigmoid(numbers[3]) * frame.width, sigmoid(numbers[4]) * frame.height
            found.append((COCO[best + 1], score, (x - w / 2, y - h / 2, x + w / 2, y + h / 2)))
        return suppressed(found)

    agree(OnnxDetector(str(path), threshold=THRESHOLD), frames, plain, least=20)


def test_ssd_mobilenet(data, frames):
    pytest.importorskip("ai_edge_litert")
    path = data / "models/ssd_mobilenet_v1_quant/ssd_mobilenet_v1_coco_quant.tflite"
    run = on_litert(path)

    def plain(frame):
        image, _ = stretched(frame, 300, 300)
        boxes, classes, scores, count = run(image[None])
        for i in range(int(count[0])):
            top, left, bottom, right = boxes[0, i]
            w, h = frame.width, frame.height
            box = left * w, top * h, right * w, bottom * h
            yield COCO_IDS[int(classes[0, i]) + 1], scores[0, i], box

    detector = OnnxDetector(str(path), threshold=THRESHOLD, labels="coco91")
    agree(detector, frames, plain, least=20)
