"""A video in which nobody can be recognized: what is in the boxes is blurred away."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vidan import ArrayFrame, ConfigError, Detections, Result, Tracks
from vidan_plugins.sinks.video.sink import VideoSink

CELLS = 6  # what is left of a face: so many cells in each direction


class Blur:
    """Writes the video with everything blurred that was found or is followed.

    Args:
        path: of the MP4 file.
        labels: what to blur; empty for everything.
        margin: by how much of its size a box is made larger on each side, 0 or more.

    Raises:
        ConfigError: an option has a bad value.
        SinkError: the file cannot be written.
    """

    lossless = True

    def __init__(self, path: str, labels: list[str] | None = None, margin: float = 0.15) -> None:
        if margin < 0:
            raise ConfigError(f"sink.blur.margin: expected 0 or more, not {margin!r}")
        self._labels = frozenset(labels or ())
        self._margin = margin
        self._video = VideoSink(path, draw=False)

    def write(self, result: Result) -> None:
        """Take one result."""
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

    def close(self) -> None:
        """Finish the video; a second call does nothing."""
        self._video.close()

    def _boxes(self, result: Result) -> npt.NDArray[np.float32]:
        """Boxes of detections and of tracks, (N,4): a track that coasts hides a missed face."""
        boxes = np.concatenate([result.detections.boxes, result.tracks.boxes])
        classes = np.concatenate([result.detections.classes, result.tracks.classes])
        if not self._labels:
            return boxes
        # Uncertain (-1) counts: better one blurred too many.
        wanted = [c == -1 or result.label(int(c)) in self._labels for c in classes]
        return boxes[np.array(wanted, bool)]


def blur(rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], margin: float) -> None:
    """Blur a box (4,) xyxy px of an image (H,W,3), in place.

    By averaging over a few cells: unlike a Gaussian blur that cannot be undone.
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
