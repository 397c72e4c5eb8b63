"""Writing the ground truth of a synthetic scene in MOTChallenge format during a run."""

from __future__ import annotations

from pathlib import Path

from vidan.boxes import xyxy_to_xywh
from vidan.errors import SourceError

from ...formats.mot import truth_line
from .scene.scene import GroundTruth


class GroundTruthFile:
    """A MOTChallenge `gt.txt`: `frame, id, left, top, width, height, 1, class, visibility`.

    Frames and classes count from 1 (Milan et al. 2016, arXiv 1603.00831, section 4.4). The file
    is complete after each frame, so a run may end at any time.

    Args:
        path: of the file, which is replaced; its folder is created.

    Raises:
        SourceError: it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="ascii")
        except OSError as error:
            raise self._error(error) from error

    def write(self, index: int, ground_truth: GroundTruth) -> None:
        """Add the faces of a frame; `index` counts from 0.

        Raises:
            SourceError: it cannot be written.
        """
        boxes = xyxy_to_xywh(ground_truth.boxes)
        rows = zip(
            ground_truth.ids, boxes, ground_truth.classes, ground_truth.visibility, strict=True
        )
        text = "".join(truth_line(index, *row) + "\n" for row in rows)
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Close the file; a second call does nothing.

        Raises:
            SourceError: the rest of it cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> SourceError:
        reason = error.strerror or str(error)
        return SourceError(
            f"cannot write ground truth {str(self._path)!r}: {reason}: "
            "set ground_truth to another path"
        )
