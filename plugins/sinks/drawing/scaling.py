"""Results at the size at which they are shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidan.types import Result


def scaled_to_fit(result: Result, max_width: int, max_height: int) -> Result:
    """The result with its image, boxes and shapes scaled down to fit; unchanged if it fits.

    Args:
        result: of one frame.
        max_width: of the image, px.
        max_height: of the image, px.
    """
    frame = result.frame
    scale = min(max_width / frame.width, max_height / frame.height)
    if scale >= 1:
        return result
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    factor = np.float32(scale)
    return replace(
        result,
        frame=frame.scaled(*size),
        detections=replace(result.detections, boxes=result.detections.boxes * factor),
        tracks=replace(result.tracks, boxes=result.tracks.boxes * factor),
        shapes=tuple(replace(shape, points=shape.points * factor) for shape in result.shapes),
    )
