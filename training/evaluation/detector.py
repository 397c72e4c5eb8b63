"""The detector that is measured: built as for a run, then asked for its doubtful detections too."""

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
from vidan.interfaces import Detector
from vidan.types import Detections

from ..arrays import IntArray
from ..data.sample import Sample
from .slices import CLEAN, under

log = logging.getLogger(__name__)

BATCH = 8
"""Images given to the detector at once."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A detector to measure.

    Attributes:
        detector: gives detections down to a low score, for average precision.
        configured: the same as a run would have it.
        threshold: the least score of a run's detections; None if the detector does not say.
    """

    detector: Detector
    configured: Detector
    threshold: float | None

    def close(self) -> None:
        """Close the detectors."""
        for detector in {id(d): d for d in (self.detector, self.configured)}.values():
            detector.close()


def open_subject(config: DictConfig, lowest: float) -> Subject:
    """Build a detector twice: as configured, and with `threshold` down to `lowest`.

    Raises:
        VidanError: as `vidan.config.build.build`.
    """
    configured: Detector = build("detector", config)
    threshold = getattr(configured, "threshold", None)
    if "threshold" not in config:
        log.warning(
            "detector %r has no threshold to lower: average precision is of what it gives",
            config.name,
        )
        return Subject(configured, configured, threshold)
    options: Any = OmegaConf.to_container(config, resolve=True)
    least = lowest if threshold is None else min(lowest, threshold)
    lowered: Detector = build("detector", {**options, "threshold": least})
    return Subject(lowered, configured, threshold)


def detect(
    subject: Subject, samples: Sequence[Sample], which: str = CLEAN, seed: int = 0
) -> list[Detections]:
    """The detections in every image of a slice, by the subject's own classes."""
    found: list[Detections] = []
    for start in _shown(range(0, len(samples), BATCH), which):
        frames = _frames(samples[start : start + BATCH], which, seed)
        found += subject.detector.detect(frames)
    return found


def differs(subject: Subject, samples: Sequence[Sample], found: Sequence[Detections]) -> bool:
    """Whether a run of the detector as configured gives anything else than `found`, cut.

    Suppression goes from the best score down, so a lower threshold adds detections and changes
    none. That is so for the detectors of vidan; this asks it of any.

    Args:
        subject: the detector.
        samples: some images.
        found: the detections of `detect` in the same.
    """
    threshold = subject.threshold or 0.0
    frames = _frames(samples, CLEAN, 0)
    for whole, ours in zip(subject.configured.detect(frames), found, strict=True):
        rows = ours.scores >= threshold
        same = int(rows.sum()) == len(whole) and all(
            np.allclose(a, b, atol=0.01)
            for a, b in (
                (whole.boxes, ours.boxes[rows]),
                (whole.scores, ours.scores[rows]),
                (whole.classes, ours.classes[rows]),
            )
        )
        if not same:
            return True
    return False


def _frames(samples: Sequence[Sample], which: str, seed: int) -> list[ArrayFrame]:
    return [
        ArrayFrame(
            under(which, sample.image(), sample.name, seed), stream="images", filename=sample.name
        )
        for sample in samples
    ]


def _shown(starts: range, what: str) -> Iterable[int]:
    terminal = console(stderr=True)
    if not terminal.is_terminal:
        return starts
    return track(starts, what, console=terminal, transient=True)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The labels of the data, and which of a detector's classes is which.

    Attributes:
        labels: of the data, in the order of its classes.
        classes: (C,) for each class of the detector that of the data; -1 for none.
    """

    labels: tuple[str, ...]
    classes: IntArray

    def translate(self, found: Detections) -> Detections:
        """Detections by the classes of the data; those of labels that it has not are left out."""
        classes = self.classes[found.classes]
        rows = classes >= 0
        return Detections(found.boxes[rows], found.scores[rows], classes[rows])


def vocabulary(data: Sequence[str], detector: Sequence[str], title: str) -> Vocabulary:
    """Match labels by name; says which side has what the other has not.

    Raises:
        ConfigError: there is no label in common.
    """
    if not set(data) & set(detector):
        raise ConfigError(
            f"{title} has no label of the detector ({', '.join(detector)}): {data[0]!r}, "
            f"{did_you_mean(data[0], detector)} Say rename={{{data[0]}: <the detector's label>}}"
        )
    if unknown := [label for label in data if label not in detector]:
        log.warning("%s: never found, not being labels of the detector: %s", title, _list(unknown))
    if extra := [label for label in detector if label not in data]:
        log.warning("%s: left out, not being labels of the data: %s", title, _list(extra))
    index = {label: i for i, label in enumerate(data)}
    return Vocabulary(tuple(data), np.array([index.get(label, -1) for label in detector], np.int32))


def _list(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels))
