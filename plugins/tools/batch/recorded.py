"""The detections of parts of a file, for the job of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from vidan.config.build import BuildContext
from vidan.execution.assemble import SharedDetectors
from vidan.execution.replay import DetectionStore, ReusingDetector
from vidan.interfaces import Detector
from vidan.types import Detections, Frame

from .layout import DETECTIONS

SUFFIX = ".bin"


def record_path(run_dir: Path, key: str, number: int) -> Path:
    """The file with the detections of a part.

    Args:
        run_dir: of the batch job.
        key: of the job of the file.
        number: of the part, from 0.
    """
    return run_dir / DETECTIONS / key / f"{number}{SUFFIX}"


def recorded(run_dir: Path, key: str) -> list[Path]:
    """The files with the detections of the parts of a file; see `record_path`."""
    return sorted((run_dir / DETECTIONS / key).glob(f"*{SUFFIX}"))


class RecordedDetector(ReusingDetector):
    """A detector that reuses the detections of parts of a file.

    Args:
        detector: called for frames that are in no part.
        paths: of the recorded detections.

    Raises:
        SinkError: a file cannot be opened.
    """

    def __init__(self, detector: Detector, paths: Sequence[Path]) -> None:
        super().__init__(detector)
        self._stores = [DetectionStore(path, resumed=True, by_time=True) for path in paths]

    def close(self) -> None:
        """Close the files and the detector."""
        for store in self._stores:
            store.close()
        super().close()

    def _find(self, frame: Frame) -> Detections | None:
        for store in self._stores:
            found = store.find(frame)
            if found is not None:
                return found
        return None


class RecordedDetectors(SharedDetectors):
    """Puts a RecordedDetector around a detector.

    Args:
        detectors: that build it.
        paths: of the recorded detections.
    """

    def __init__(self, detectors: SharedDetectors, paths: Sequence[Path]) -> None:
        super().__init__(keep=True)
        self._detectors, self._paths = detectors, paths

    def get(self, options: Mapping[str, Any], context: BuildContext, opened: ExitStack) -> Detector:
        """See `SharedDetectors`."""
        detector = RecordedDetector(self._detectors.get(options, context, opened), self._paths)
        opened.callback(detector.close)
        return detector
