"""Writing the ground truth of a synthetic scene during a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vidan.boxes import xyxy_to_xywh
from vidan.errors import SourceError
from vidan.events import Event

from ...formats.events import event_line
from ...formats.mot import truth_line
from .scene.scene import GroundTruth
from .true_events import TrueEvents


class TruthFile:
    """A text file that is complete after each frame, so a run may end at any time.

    Args:
        option: the option that named the path, for errors.
        path: of the file, which is replaced; its folder is created.

    Raises:
        SourceError: it cannot be written.
    """

    def __init__(self, option: str, path: str) -> None:
        self._option = option
        self._path = Path(path)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError as error:
            raise self._error(error) from error

    def write(self, text: str) -> None:
        """Add text.

        Raises:
            SourceError: it cannot be written.
        """
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
            f"set {self._option} to another path"
        )


class TrueEventsFile:
    """True events, one line of JSON each.

    Args:
        path: of the file, which is replaced; its folder is created.
        truth: the events.

    Raises:
        SourceError: it cannot be written.
    """

    def __init__(self, path: str, truth: TrueEvents) -> None:
        self._file: TruthFile | None = TruthFile("true_events", path)
        self._truth = truth

    def write(self, index: int) -> None:
        """Add the events up to a frame."""
        self._add(self._truth.until(index))

    def close(self) -> None:
        """Add the ends of visits, and close the file; a second call does nothing."""
        if self._file is not None:
            self._add(self._truth.finish())
            self._file.close()
            self._file = None

    def _add(self, events: Sequence[Event]) -> None:
        if self._file is not None:
            self._file.write("".join(event_line(event) + "\n" for event in events))


def truth_lines(index: int, ground_truth: GroundTruth) -> str:
    """The faces of a frame as lines of a MOTChallenge `gt.txt`.

    The columns are `frame, id, left, top, width, height, 1, class, visibility`. Frames and classes
    count from 1 (Milan et al. 2016, arXiv 1603.00831, section 4.4), `index` from 0.
    """
    boxes = xyxy_to_xywh(ground_truth.boxes)
    rows = zip(ground_truth.ids, boxes, ground_truth.classes, ground_truth.visibility, strict=True)
    return "".join(truth_line(index, *row) + "\n" for row in rows)
