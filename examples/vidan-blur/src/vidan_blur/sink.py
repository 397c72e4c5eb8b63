"""A video in which nobody can be recognized: the inside of all boxes is blurred."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from vidan import ArrayFrame, Detections, Result, Tracks
from vidan_plugins.sinks.video.sink import VideoSink

CELLS = 6
"""A blurred object is reduced to this many cells in each direction."""


class Blur:
    """Writes the video with all detections and tracks blurred.

    Args:
        path: of the MP4 file.
        labels: labels to blur; empty for all.
        margin: added to a box on each side, as a fraction of its size.

    Raises:
        SinkError: the file cannot be written.
    """

    lossless = True

    def __init__(
        self,
        path: str,
        labels: list[str] | None = None,
        margin: Annotated[float, Meta(ge=0)] = 0.15,
    ) -> None:
        self._labels = frozenset(labels or ())
        self._margin = margin
        self._video = VideoSink(path, drawing=None)

    def write(self, result: Result) -> None:
        """Blur one frame and write it."""
        frame = result.frame
        rgb = frame.rgb().copy()
        for box in self._boxes(result):
            blur(rgb, box, self._margin)
        shown = ArrayFrame(
            rgb,
            index=frame.index,
            time=frame.time,
            captured=frame.captured,
            stream=frame.stream,
        )
        self._video.write(Result(shown, Detections.empty(), Tracks.empty()))

    @property
    def outputs(self) -> list[str]:
        """The path of the video, for the summary of the run."""
        return self._video.outputs

    def close(self) -> None:
        """Finish the video; a second call does nothing."""
        self._video.close()

    def _boxes(self, result: Result) -> npt.NDArray[np.float32]:
        """Boxes (N, 4) of detections, and of tracks, which also hide objects that were missed."""
        boxes = np.concatenate([result.detections.boxes, result.tracks.boxes])
        classes = np.concatenate([result.detections.classes, result.tracks.classes])
        if not self._labels:
            return boxes
        # Uncertain labels (-1) are blurred, too: better one too many.
        wanted = [c == -1 or result.label(int(c)) in self._labels for c in classes]
        return boxes[np.array(wanted, bool)]


def blur(rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], margin: float) -> None:
    """Blur a box (4,) xyxy px of an image (H, W, 3), in place.

    Averages over a few cells. Unlike a Gaussian blur, this cannot be reverted.
    """
    size = box[2:] - box[:2]
    corners = np.concatenate([box[:2] - margin * size, box[2:] + margin * size])
    height, width, _ = rgb.shape
    x1, y1, x2, y2 = np.clip(corners.round(), 0, [width, height] * 2).astype(int).tolist()
    if x1 >= x2 or y1 >= y2:
        return
    part = rgb[y1:y2, x1:x2]
    cells = cv2.resize(
        part, (min(CELLS, x2 - x1), min(CELLS, y2 - y1)), interpolation=cv2.INTER_AREA
    )
    rgb[y1:y2, x1:x2] = cv2.resize(cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
