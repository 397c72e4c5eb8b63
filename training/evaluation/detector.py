"""The detector under test: built as for a run, and again with a lower threshold."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.progress import track

from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.errors import ConfigError, did_you_mean
from vidan.frames import ArrayFrame
from vidan.interfaces import Detector, HasThreshold
from vidan.types import Detections

from ..arrays import IntArray
from ..data.sample import Sample
from .slices import CLEAN, apply_slice

log = logging.getLogger(__name__)

BATCH_SIZE = 8
"""Images given to the detector at once."""

BOX_TOLERANCE = 0.01
"""Difference up to which two detections are equal: px, or units of the score."""


@dataclass(frozen=True, slots=True)
class DetectorUnderTest:
    """A detector to evaluate.

    Attributes:
        detector: returns detections down to a low score, for average precision.
        configured: the same detector as a run would use it.
        threshold: minimum score of a run's detections; None if the detector does not expose it.
    """

    detector: Detector
    configured: Detector
    threshold: float | None

    def close(self) -> None:
        """Close the detectors."""
        for detector in {id(d): d for d in (self.detector, self.configured)}.values():
            detector.close()


def open_detector(config: DictConfig, min_score: float) -> DetectorUnderTest:
    """Build a detector twice: as configured, and with `threshold` lowered to `min_score`.

    Raises:
        VidanError: see `vidan.config.build.build`.
    """
    configured: Detector = build("detector", config)
    threshold = configured.threshold if isinstance(configured, HasThreshold) else None
    if "threshold" not in config:
        log.warning(
            "detector %r has no threshold that could be lowered: average precision is computed "
            "from the detections that it returns",
            config.name,
        )
        return DetectorUnderTest(configured, configured, threshold)
    options: Any = OmegaConf.to_container(config, resolve=True)
    lowest = min_score if threshold is None else min(min_score, threshold)
    lowered: Detector = build("detector", {**options, "threshold": lowest})
    return DetectorUnderTest(lowered, configured, threshold)


def detect(
    subject: DetectorUnderTest, samples: Sequence[Sample], which: str = CLEAN, seed: int = 0
) -> list[Detections]:
    """Run the detector on every image of a slice; classes are the detector's own."""
    detections: list[Detections] = []
    for start in _with_progress(range(0, len(samples), BATCH_SIZE), which):
        frames = _frames(samples[start : start + BATCH_SIZE], which, seed)
        detections += subject.detector.detect(frames)
    return detections


def depends_on_threshold(
    subject: DetectorUnderTest, samples: Sequence[Sample], detections: Sequence[Detections]
) -> bool:
    """Whether the lower threshold changes detections above the configured one.

    Non-maximum suppression proceeds from the best score down, so that a lower threshold should
    only add detections. This holds for the detectors of vidan, but not necessarily for others.

    Args:
        subject: the detector.
        samples: some images.
        detections: result of `detect` on these images.
    """
    threshold = subject.threshold or 0.0
    frames = _frames(samples, CLEAN, 0)
    runs = zip(subject.configured.detect(frames), detections, strict=True)
    return not all(_are_equal(run, found[found.scores >= threshold]) for run, found in runs)


def _are_equal(a: Detections, b: Detections) -> bool:
    return len(a) == len(b) and all(
        np.allclose(x, y, atol=BOX_TOLERANCE)
        for x, y in ((a.boxes, b.boxes), (a.scores, b.scores), (a.classes, b.classes))
    )


def _frames(samples: Sequence[Sample], which: str, seed: int) -> list[ArrayFrame]:
    return [
        ArrayFrame(
            apply_slice(which, sample.image(), sample.name, seed),
            stream="images",
            filename=sample.name,
        )
        for sample in samples
    ]


def _with_progress(starts: range, title: str) -> Iterable[int]:
    terminal = console(stderr=True)
    if not terminal.is_terminal:
        return starts
    return track(starts, title, console=terminal, transient=True)


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """Maps the classes of a detector to those of the data.

    Attributes:
        labels: labels of the data, in the order of its classes.
        classes: (C,) class of the data for each class of the detector; -1 for none.
    """

    labels: tuple[str, ...]
    classes: IntArray

    def translate(self, detections: Detections) -> Detections:
        """Detections with the classes of the data; those of other labels are left out."""
        classes = self.classes[detections.classes]
        rows = classes >= 0
        return Detections(detections.boxes[rows], detections.scores[rows], classes[rows])


def match_labels(data: Sequence[str], detector: Sequence[str], title: str) -> LabelMapping:
    """Match labels by name; logs the labels that only one side has.

    Raises:
        ConfigError: there is no label in common.
    """
    if not set(data) & set(detector):
        raise ConfigError(
            f"{title} has no label of the detector ({', '.join(detector)}): {data[0]!r}, "
            f"{did_you_mean(data[0], detector)} Set rename={{{data[0]}: <the detector's label>}}"
        )
    if unknown := [label for label in data if label not in detector]:
        log.warning("%s: cannot be found, not labels of the detector: %s", title, _list(unknown))
    if extra := [label for label in detector if label not in data]:
        log.warning("%s: left out, not labels of the data: %s", title, _list(extra))
    index = {label: i for i, label in enumerate(data)}
    classes = np.array([index.get(label, -1) for label in detector], np.int32)
    return LabelMapping(tuple(data), classes)


def _list(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels))
