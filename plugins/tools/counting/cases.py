"""The sequences of an evaluation: ground truth, and tracks to count in, kept in memory."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from vidan.config.build import build
from vidan.errors import SourceError
from vidan.geometry import Floats
from vidan.types import Result

from ..analyze.tracks import Labels, TrackSequence, read_rows
from ..tracking import settings
from ..tracking.detection import Detection
from ..tracking.evaluation import result_files, with_truth
from ..tracking.run_tracker import of_label, read_input
from ..tracking.sequences import LABELS, MotSequence, find_sequences
from .broken import LABELS as BROKEN_LABELS
from .broken import broken_tracks
from .counting import tracked
from .gates import Crossing, Gate, true_crossings
from .settings import Settings
from .truth import Person, read_truth
from .visits import Visit, true_visits

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Case:
    """A sequence with its ground truth and the tracks to count in.

    Attributes:
        name: of the sequence.
        size: width and height of the images, px.
        people: its ground truth.
        results: the tracks of all frames.
        label: the label that is counted.
    """

    name: str
    size: tuple[int, int]
    people: list[Person]
    results: list[Result]
    label: str = LABELS[0]

    @property
    def labeled(self) -> list[Result]:
        """The results with only the tracks of the label, for counters that know no labels."""
        return [of_label(result, self.label) for result in self.results]

    def gates(self, given: Settings) -> list[Gate]:
        """The gates in its images."""
        return given.gates.gates(self.size)

    def crossings(self, given: Settings, dead_band: float) -> list[Crossing]:
        """The true crossings of the gates."""
        return true_crossings(
            self.people, self.gates(given), dead_band, given.extent, given.min_visibility
        )

    def visits(self, given: Settings, dead_band: float) -> list[Visit]:
        """The true visits to the middle third of the image."""
        return true_visits(self.people, self.size, dead_band, given.visit_visibility)


def find(config: DictConfig) -> list[MotSequence]:
    """The sequences that have ground truth, and images of a known size or a detector.

    Raises:
        VidanError: there are none, the size of one is not known, or an option is invalid.
    """
    wanted = settings.names(config, "sequences")
    sequences = with_truth(find_sequences(settings.folders(config), wanted))
    for sequence in sequences if config.detector is None else ():
        _image_size(sequence)
    return sequences


def load_cases(
    config: DictConfig,
    given: Settings,
    sequences: Sequence[MotSequence] | None = None,
    detection: Detection | None = None,
) -> list[Case]:
    """Run the tracker on all sequences, or read results, or break the ground truth.

    Args:
        config: as in `conf/eval_counting.yaml`.
        given: the settings in it.
        sequences: found already by `find`.
        detection: the detector; None to take the boxes of the sequences.

    Raises:
        VidanError: an invalid option, or a missing file.
    """
    sequences = find(config) if sequences is None else sequences
    if given.broken:
        return _broken_cases(sequences, given)
    results = settings.results_folder(config)
    files = None if results is None else result_files(results, sequences)
    tracker = settings.group(config, "tracker")
    if files is None:
        build("tracker", tracker)  # fail now on an invalid option
        if detection is not None:
            sequences = detection.detect(sequences)
    people: dict[Path | None, list[Person]] = {}
    cases = []
    for sequence in sequences:
        if files is not None and sequence.name not in files:
            continue
        if sequence.truth not in people:
            people[sequence.truth] = read_truth(sequence)
        size = _image_size(sequence)
        file = None if files is None else files[sequence.name]
        found = _results(sequence, size, tracker, file)
        cases.append(Case(sequence.name, size, people[sequence.truth], found, sequence.label))
    return cases


def _results(
    sequence: MotSequence, size: tuple[int, int], tracker: dict[str, Any], file: Path | None
) -> list[Result]:
    if file is not None:
        rows, classes = read_rows(file, Labels(LABELS))
        return _of_rows(sequence, size, rows, classes, LABELS)
    results = tracked(read_input(sequence), tracker)
    log.info("%s: %d frames", sequence.name, len(results))
    return results


def _of_rows(
    sequence: MotSequence,
    size: tuple[int, int],
    rows: Floats,
    classes: Floats,
    labels: tuple[str, ...],
) -> list[Result]:
    """The rows (N,10) of a file of tracks as results of all frames."""
    frames = sequence.frame_count
    tracks = TrackSequence(sequence.name, rows, classes, labels, sequence.rate, size, frames)
    return list(tracks.results())


def _broken_cases(sequences: Iterable[MotSequence], given: Settings) -> list[Case]:
    """The scenes, one case each, with broken tracks of the ground truth; everyone is visible."""
    cases = []
    for sequence in {sequence.truth: sequence for sequence in sequences}.values():
        size = _image_size(sequence)
        people = [
            dataclasses.replace(person, visibility=np.ones_like(person.visibility))
            for person in read_truth(sequence)
        ]
        gates = given.gates.gates(size)
        crossings = true_crossings(people, gates, given.dead_bands[0], given.extent)
        rows, classes = broken_tracks(people, crossings, given.seed)
        results = _of_rows(sequence, size, rows, classes, BROKEN_LABELS)
        cases.append(Case(sequence.scene, size, people, results))
    return cases


def _image_size(sequence: MotSequence) -> tuple[int, int]:
    """Width and height of the images of a sequence, px.

    Raises:
        SourceError: they are not known.
    """
    if sequence.size is None:
        raise SourceError(
            f"the size of the images of {sequence.name!r} is not known: add imWidth and imHeight "
            "to its seqinfo.ini"
        )
    return sequence.size
