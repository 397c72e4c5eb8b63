"""The sequences of an evaluation: ground truth, and tracks to count in, kept in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidan.config.build import build
from vidan.errors import SourceError
from vidan.types import Result

from ..tracking import settings
from ..tracking.evaluation import result_files, with_truth
from ..tracking.run_tracker import imageless_frames, read_input
from ..tracking.sequences import MotSequence, find_sequences
from .counting import read_results, tracked
from .truth import Person, read_truth

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Case:
    """A sequence with its ground truth and the tracks to count in.

    Attributes:
        name: of the sequence.
        size: width and height of the images, px.
        people: its ground truth.
        results: the tracks of all frames.
    """

    name: str
    size: tuple[int, int]
    people: list[Person]
    results: list[Result]


def load_cases(config: DictConfig) -> list[Case]:
    """Run the tracker on all sequences, or read the results of another program.

    Args:
        config: as in `conf/eval_counting.yaml`.

    Raises:
        VidanError: an invalid option, or a missing file.
    """
    results = settings.results_folder(config)
    wanted = settings.names(config, "sequences")
    sequences = with_truth(find_sequences(settings.folders(config), wanted))
    sizes = {sequence.name: _image_size(sequence) for sequence in sequences}
    files = None if results is None else result_files(results, sequences)
    tracker = settings.group(config, "tracker")
    if files is None:
        build("tracker", tracker)  # fail now on an invalid option
    people: dict[Path | None, list[Person]] = {}
    cases = []
    for sequence in sequences:
        if files is not None and sequence.name not in files:
            continue
        if sequence.truth not in people:
            people[sequence.truth] = read_truth(sequence)
        size = sizes[sequence.name]
        file = None if files is None else files[sequence.name]
        found = _results(sequence, size, tracker, file)
        cases.append(Case(sequence.name, size, people[sequence.truth], found))
    return cases


def _results(
    sequence: MotSequence, size: tuple[int, int], tracker: dict[str, Any], file: Path | None
) -> list[Result]:
    if file is not None:
        return read_results(file, imageless_frames(sequence, size))
    results = tracked(read_input(sequence), tracker)
    log.info("%s: %d frames", sequence.name, len(results))
    return results


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
