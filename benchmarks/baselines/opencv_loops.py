"""Typical hand-written loops; run without vidan, in the environment of requirements-loops.txt.

    python benchmarks/baselines/opencv_loops.py savedmodel VIDEO MODEL OUT FRAMES BURN_IN

reads a video, detects and draws boxes, and writes a video; prints its figures as JSON. MODEL is
a detector in vidan's native format (images in, decoded boxes and scores out), exported as
SavedModel or as ONNX. All options of the libraries keep their defaults.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

SIZE = 512
THRESHOLD, IOU = 0.501, 0.5
GREEN = (0, 200, 0)

Array = Any
Network = Callable[[Array], tuple[Array, Array]]
"""Maps a batch (1, H, W, 3) uint8 RGB to boxes (K, 4) xyxy in its pixels, and scores (K, C)."""


def savedmodel(folder: str) -> Network:
    """Load a TensorFlow SavedModel."""
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)
    serve = loaded.signatures["vidan"]

    def run(batch: Array) -> tuple[Array, Array]:
        found = serve(images=tf.constant(batch))
        return found["boxes"].numpy()[0], found["scores"].numpy()[0]

    run.loaded = loaded  # type: ignore[attr-defined] # the signature does not keep it alive
    return run


def onnx(path: str) -> Network:
    """Load an ONNX model."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(batch: Array) -> tuple[Array, Array]:
        boxes, scores = session.run(["boxes", "scores"], {"images": batch})
        return boxes[0], scores[0]

    return run


def detect(network: Network, bgr: Array) -> tuple[Array, Array, Array]:
    """Boxes xyxy in px of the image, scores and classes of detections above the threshold."""
    height, width = bgr.shape[:2]
    scale = SIZE / max(height, width)
    small = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), None, fx=scale, fy=scale)
    batch = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    batch[0, : small.shape[0], : small.shape[1]] = small
    boxes, scores = network(batch)
    best = scores.max(axis=1)
    kept = best >= THRESHOLD
    return boxes[kept] / scale, best[kept], scores[kept].argmax(axis=1)


class Plain:
    """TensorFlow, and NMS and drawing with OpenCV; no tracking."""

    def __init__(self, model: str) -> None:
        self._network = savedmodel(model)

    def __call__(self, bgr: Array) -> Array:
        """Draw the boxes on an image, and return it."""
        boxes, scores, classes = detect(self._network, bgr)
        sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), THRESHOLD, IOU)
        for row in np.array(kept, int).ravel():
            x1, y1, x2, y2 = boxes[row].astype(int).tolist()
            cv2.rectangle(bgr, (x1, y1), (x2, y2), GREEN, 2)
            text = f"{classes[row]} {scores[row]:.2f}"
            cv2.putText(bgr, text, (x1, y1 - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.5, GREEN, 1)
        return bgr


class Supervised:
    """ONNX Runtime for detection, `trackers` and `supervision` for the rest."""

    def __init__(self, model: str) -> None:
        import supervision
        import trackers

        self._network = onnx(model)
        self._sv = supervision
        self._tracker = trackers.SORTTracker()
        self._box, self._label = supervision.BoxAnnotator(), supervision.LabelAnnotator()

    def __call__(self, bgr: Array) -> Array:
        """Draw the tracks on an image, and return it."""
        boxes, scores, classes = detect(self._network, bgr)
        found = self._sv.Detections(
            xyxy=boxes.astype(np.float32), confidence=scores, class_id=classes
        )
        tracked = self._tracker.update(found.with_nms(IOU, class_agnostic=True))
        ids, scores = np.asarray(tracked.tracker_id), np.asarray(tracked.confidence)
        labels = [f"{n} {s:.2f}" for n, s in zip(ids, scores, strict=True)]
        return self._label.annotate(self._box.annotate(bgr, tracked), tracked, labels)


LOOPS: dict[str, Callable[[str], Callable[[Array], Array]]] = {
    "savedmodel": Plain,
    "supervision": Supervised,
}


def loop(name: str, video: str, model: str, out: str, frames: int, burn_in: int) -> dict[str, Any]:
    """Run a loop over some frames; figures of the frames after the burn-in."""
    annotate = LOOPS[name](model)
    capture = cv2.VideoCapture(video)
    rate = capture.get(cv2.CAP_PROP_FPS) or 30
    size = [int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
    writer = cv2.VideoWriter(out, cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    marks = []
    for _ in range(frames):
        there, bgr = capture.read()
        if not there:
            break
        writer.write(annotate(bgr))
        marks.append((time.perf_counter(), time.process_time()))
    writer.release()
    capture.release()
    counted = marks[burn_in:]
    gaps = len(counted) - 1
    seconds, cpu = (last - first for first, last in zip(counted[0], counted[-1]))  # noqa: B905
    return {"fps": gaps / seconds, "cpu_ms": 1e3 * cpu / gaps, "frames": len(counted)}


if __name__ == "__main__":
    name, video, model, out, frames, burn_in = sys.argv[1:]
    print(json.dumps(loop(name, video, model, out, int(frames), int(burn_in))))
