"""Detects objects in the images of sequences, and keeps the boxes for further evaluations.

The frames go through the frame loop of a run. The boxes of a sequence are in
`<folder>/<model>-<checksum>/<seq>/det/det.txt`, with the class in column 8; the checksum is that of
the detector's options. So each detector has a folder in MOTChallenge layout.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import zlib
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidan import options
from vidan.cli.subcommands import write_json
from vidan.config.build import BuildContext, build
from vidan.errors import SourceError
from vidan.execution.assemble import FILE_WORKERS
from vidan.interfaces import Detector, Sink
from vidan.runtime.common_scores import scale_of
from vidan.runtime.pipeline import Pipeline
from vidan.runtime.stream import Stream

from . import settings
from .run_tracker import image_source
from .sequences import MotSequence

log = logging.getLogger(__name__)

FACTS_FILE = "detector.json"
"""What the boxes of a sequence depend on, next to them."""

FOLDER = "detections"
"""Folder in the run directory, if no other is given."""


class Detection:
    """A detector for sequences, and where its boxes are kept.

    Args:
        config: with the keys `detector`, `label`, `detections` and `run_dir`.

    Attributes:
        name: of the model.
        labels: of its classes.
        label: the label whose tracks are scored.

    Raises:
        VidanError: an option is invalid, or the model cannot be used.
    """

    def __init__(self, config: DictConfig) -> None:
        self._options = settings.group(config, "detector")
        self.name = model_name(self._options)
        root = Path(config.run_dir) / FOLDER
        if config.detections is not None:
            root = options.path("detections", config.detections)
        text = json.dumps(self._options, sort_keys=True).encode()
        self._folder = root / f"{self.name}-{zlib.crc32(text):08x}"
        self._opened: Detector | None = _build(self._options)
        self.labels = tuple(self._opened.labels)
        self._score_scale = scale_of(self._opened)
        self.label = options.choice("label", config.label, self.labels)

    def detect(self, sequences: Sequence[MotSequence]) -> list[MotSequence]:
        """The sequences with the boxes of the detector, which are found or read from the folder.

        Raises:
            SourceError: a sequence has no images, or the detector finds nothing in one.
            StageError: the detector, or reading the images, failed.
            SinkError: the boxes cannot be written.
        """
        for sequence in sequences:
            image_source(sequence).close()
        try:
            return [self._detected(s, self._folder / s.name) for s in sequences]
        finally:
            if self._opened is not None:
                self._opened.close()

    def _detected(self, sequence: MotSequence, folder: Path) -> MotSequence:
        path, depends_on = folder / "det" / "det.txt", self._depends_on(sequence)
        facts = _read(folder / FACTS_FILE)
        if path.is_file() and facts.get("depends_on") == depends_on:
            log.info("%s: boxes of %s from %s", sequence.name, self.name, path)
        else:
            facts = {"depends_on": depends_on, **self._find(sequence, path)}
            write_json(folder / FACTS_FILE, facts)
        size = tuple(facts["size"])
        if sequence.size not in (None, size):
            raise SourceError(
                f"{str(sequence.images)!r} has images of {size} px, but {sequence.name!r} has "
                f"ground truth for {sequence.size} px"
            )
        if not path.stat().st_size:
            raise SourceError(f"{self.name} finds nothing in the images of {sequence.name!r}")
        return dataclasses.replace(
            sequence,
            detections=path,
            features=None,
            length=sequence.length or max(facts["frames"], sequence.frame_count),
            size=size,
            labels=self.labels,
            label=self.label,
            score_scale=self._score_scale,
        )

    def _depends_on(self, sequence: MotSequence) -> dict[str, Any]:
        model = self._options.get("model")
        return {
            "detector": self._options,
            "labels": list(self.labels),
            "model": _state(Path(model)) if isinstance(model, str) else None,
            "images": _state(sequence.images) if sequence.images else None,
        }

    def _find(self, sequence: MotSequence, path: Path) -> dict[str, Any]:
        """Run the detector on all frames; writes det.txt, and returns what else is known."""
        part = path.with_suffix(".part")
        sink: Sink = build(
            "sink", {"name": "mot", "path": str(part), "boxes": "detections", "classes": True}
        )
        stream = Stream(image_source(sequence), build("tracker", {"name": "none"}), {"mot": sink})
        detector, self._opened = self._opened or _build(self._options), None
        log.info("%s: detecting by %s", sequence.name, self.name)
        last = deque(Pipeline(stream, detector, workers=FILE_WORKERS), maxlen=1)
        if not last:
            raise SourceError(f"there are no frames in {str(sequence.images)!r}")
        part.replace(path)
        frame = last[0].frame
        log.info("%s: %d frames, boxes in %s", sequence.name, frame.index + 1, path)
        return {"frames": frame.index + 1, "size": [frame.width, frame.height]}


def model_name(detector: Mapping[str, Any] | DictConfig) -> str:
    """The name of the model in the options of a detector; else that of the detector."""
    model = detector.get("model")
    return Path(model).stem if isinstance(model, str) else str(detector["name"])


def _build(detector: Mapping[str, Any]) -> Detector:
    context = BuildContext(workers=FILE_WORKERS, live_source=False)
    built: Detector = build("detector", detector, context=context)
    return built


def _state(path: Path) -> list[Any] | None:
    """Path, size and time of change of a file or folder; None if there is none."""
    if not path.exists():
        return None
    found = path.stat()
    return [str(path.resolve()), found.st_size, found.st_mtime_ns]


def _read(path: Path) -> dict[str, Any]:
    """The content of a JSON file; {} if it cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
