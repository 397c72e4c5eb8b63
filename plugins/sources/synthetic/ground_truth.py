"""Ground truth in MOTChallenge form, written as a run goes on."""

from __future__ import annotations

from pathlib import Path

from vidan.boxes import xyxy_to_xywh
from vidan.errors import SourceError

from .scene.scene import Truth


class TruthFile:
    """A MOTChallenge `gt.txt`: `frame, id, left, top, width, height, 1, class, visibility`.

    Frames and classes count from 1 (Milan et al. 2016, arXiv 1603.00831, section 4.4). After
    each frame the file is complete as far as it goes.

    Args:
        path: of the file, which is replaced; its folder is made.

    Raises:
        SourceError: it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="ascii")
        except OSError as error:
            raise self._cannot(error) from error

    def write(self, index: int, truth: Truth) -> None:
        """Add the faces of a frame, its index from 0.

        Raises:
            SourceError: it cannot be written.
        """
        boxes = xyxy_to_xywh(truth.boxes)
        rows = zip(truth.ids, boxes, truth.classes, truth.visibility, strict=True)
        text = "".join(
            f"{index + 1},{id_},{x:.2f},{y:.2f},{w:.2f},{h:.2f},1,{class_ + 1},{seen:.3f}\n"
            for id_, (x, y, w, h), class_, seen in rows
        )
        try:
            self._file.write(text)
            self._file.flush()
        except OSError as error:
            raise self._cannot(error) from error

    def close(self) -> None:
        """Finish the file; a second call does nothing.

        Raises:
            SourceError: the last of it cannot be written.
        """
        try:
            self._file.close()
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> SourceError:
        reason = error.strerror or str(error)
        return SourceError(
            f"cannot write truth {str(self._path)!r}: {reason}; give source.truth another path"
        )
