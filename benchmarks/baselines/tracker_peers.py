"""Time trackers of other libraries; benchmarks.suite.trackers runs this in their environment.

    python benchmarks/baselines/tracker_peers.py <scene.npz> <name>

The scene holds `boxes` (N, 5) float32 x1 y1 x2 y2 score, `frames` (N,) int64 ascending, `count`
and `features` (N, D). Prints the seconds of each frame as a JSON list.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def supervised(name: str) -> Callable[[Any, Any], object]:
    """A tracker from the package `trackers`."""
    import supervision
    import trackers

    tracker = getattr(trackers, name)()

    def update(boxes: Any, features: Any) -> object:  # noqa: ARG001 - same signature for all
        return tracker.update(
            supervision.Detections(
                xyxy=boxes[:, :4], confidence=boxes[:, 4], class_id=np.zeros(len(boxes), int)
            )
        )

    return update


def norfair() -> Callable[[Any, Any], object]:
    """The tracker of norfair with IoU distance."""
    import norfair  # type: ignore[import-not-found]

    tracker = norfair.Tracker(distance_function="iou", distance_threshold=0.7)

    def update(boxes: Any, features: Any) -> object:  # noqa: ARG001
        corners = boxes[:, :4].reshape(-1, 2, 2)
        detections = [
            norfair.Detection(points=c, scores=np.full(2, s))
            for c, s in zip(corners, boxes[:, 4], strict=True)
        ]
        return tracker.update(detections=detections)

    return update


def deep_sort() -> Callable[[Any, Any], object]:
    """deep-sort-realtime with precomputed features."""
    from deep_sort_realtime.deepsort_tracker import (  # type: ignore[import-not-found]
        DeepSort,
    )

    tracker = DeepSort(embedder=None, nn_budget=100)

    def update(boxes: Any, features: Any) -> object:
        sizes = boxes[:, 2:4] - boxes[:, :2]
        detections = [
            ([*box[:2].tolist(), *size.tolist()], float(box[4]), 0)
            for box, size in zip(boxes, sizes, strict=True)
        ]
        return tracker.update_tracks(detections, embeds=list(features))

    return update


FACTORIES: dict[str, Callable[[], Callable[[Any, Any], object]]] = {
    "trackers SORT": lambda: supervised("SORTTracker"),
    "trackers ByteTrack": lambda: supervised("ByteTrackTracker"),
    "trackers OC-SORT": lambda: supervised("OCSORTTracker"),
    "norfair": norfair,
    "deep-sort-realtime": deep_sort,
}


def main() -> None:
    """Time one tracker over one scene."""
    path, name = sys.argv[1:]
    with np.load(path) as scene:
        boxes, frames, features = scene["boxes"], scene["frames"], scene["features"]
        cuts = np.searchsorted(frames, np.arange(1, int(scene["count"])))
    update = FACTORIES[name]()
    seconds = []
    per_frame = zip(np.split(boxes, cuts), np.split(features, cuts), strict=True)
    for detected, embeddings in per_frame:
        began = time.perf_counter()
        update(detected, embeddings)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
