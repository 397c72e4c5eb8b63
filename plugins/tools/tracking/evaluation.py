"""`vidan eval tracking`: runs a tracker on given detections and scores its tracks."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from vidan import options
from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.build import build
from vidan.config.compose import compose
from vidan.errors import SourceError

from . import report, settings
from .detection import Detection, model_name
from .metrics import Metrics, Raw, hota_curve, summarize
from .run_tracker import read_input, run_tracker, statistics_ms
from .sequences import MotSequence, find_sequences
from .smoothing import Smoothing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """The scores of some sequences.

    Attributes:
        rows: the table: metrics by sequence, and `combined`.
        scores: TrackEval's results for each sequence.
        combined: TrackEval's results for all sequences combined.
        smoothed: as `rows`, for the same tracks after smoothing; {} if not requested.
    """

    rows: dict[str, dict[str, float]]
    scores: dict[str, Raw]
    combined: Raw
    smoothed: dict[str, dict[str, float]]


def run(arguments: Sequence[str]) -> int:
    """Evaluate according to overrides: `data=`, `tracker=` and any key of either."""
    config = compose(arguments, "eval_tracking")
    found = evaluate(config)
    directory = Path(config.run_dir)
    curve = hota_curve(found.combined)
    report.plot(directory / "metrics.png", found.rows, curve, title=title(config))
    terminal = console()
    terminal.print(report.table(list(found.rows.items())))
    if found.smoothed:
        terminal.print("\nafter offline smoothing (gaps filled, paths smoothed)")
        terminal.print(report.table(list(found.smoothed.items())))
    terminal.print(f"in {directory}: metrics.json, metrics.png, config.yaml, tracks")
    return 0


def evaluate(config: DictConfig) -> Evaluation:
    """Score a tracker, or files of results; writes tracks and metrics.json.

    Args:
        config: as in `conf/eval_tracking.yaml`.

    Raises:
        VidanError: an invalid option, a missing file or a missing extra.
    """
    metrics = Metrics(config.benchmark)
    smoothing = Smoothing.from_config(config) if options.boolean("smooth", config.smooth) else None
    results = settings.results_folder(config)
    detection = None if config.detector is None else Detection(config)
    wanted = settings.names(config, "sequences")
    sequences = with_truth(find_sequences(settings.folders(config), wanted))
    files = None if results is None else result_files(results, sequences)
    directory = run_directory(config)
    times: dict[str, list[float]] = {}
    if files is None:
        tracker = settings.group(config, "tracker")
        build("tracker", tracker)  # fail now on an invalid option, not after detection
        if detection is not None:
            sequences = detection.detect(sequences)
        files = _track(sequences, tracker, directory / "tracks", times)
    scores = {s.name: metrics.score(s, files[s.name]) for s in sequences if s.name in files}
    smoothed: dict[str, dict[str, float]] = {}
    if smoothing is not None:
        smoothed = _smooth(metrics, sequences, files, smoothing, directory / "smooth")
    found = _evaluation(metrics, scores, times, smoothed)
    _write(directory / "metrics.json", title(config), found, times)
    return found


def with_truth(sequences: Sequence[MotSequence]) -> list[MotSequence]:
    """The sequences that have ground truth; warns about the others.

    Raises:
        SourceError: none has.
    """
    known = [sequence for sequence in sequences if sequence.truth is not None]
    if not known:
        raise SourceError(
            f"no ground truth for {sequences[0].name!r} nor any other sequence: expected "
            "<seq>/gt/gt.txt, or set gt=<folder>"
        )
    if missing := [sequence.name for sequence in sequences if sequence.truth is None]:
        log.warning("skipping sequences without ground truth: %s", ", ".join(missing))
    return known


def result_files(folder: Path, sequences: Sequence[MotSequence]) -> dict[str, Path]:
    """The results of each sequence that has a file; warns about the others.

    Raises:
        SourceError: none has.
    """
    files = {sequence.name: folder / f"{sequence.name}.txt" for sequence in sequences}
    found = {name: file for name, file in files.items() if file.is_file()}
    if not found:
        raise SourceError(
            f"no results in {str(folder)!r}: expected files such as {sequences[0].name}.txt"
        )
    if missing := sorted(files.keys() - found.keys()):
        log.warning("skipping sequences without results: %s", ", ".join(missing))
    return found


def _track(
    sequences: Sequence[MotSequence],
    tracker: Mapping[str, Any],
    folder: Path,
    times: dict[str, list[float]],
) -> dict[str, Path]:
    """Run the tracker on all sequences; fills `times`, s of each frame."""
    files = {}
    for sequence in sequences:
        files[sequence.name] = folder / f"{sequence.name}.txt"
        seconds = run_tracker(read_input(sequence), tracker, files[sequence.name])
        times[sequence.name] = seconds
        log.info("%s: %d frames", sequence.name, len(seconds))
    return files


def _smooth(
    metrics: Metrics,
    sequences: Sequence[MotSequence],
    files: Mapping[str, Path],
    smoothing: Smoothing,
    folder: Path,
) -> dict[str, dict[str, float]]:
    """The metrics of the same tracks, smoothed into a folder."""
    scores = {}
    for sequence in (s for s in sequences if s.name in files):
        out = folder / f"{sequence.name}.txt"
        smoothing.process_file(files[sequence.name], out, sequence.rate)
        scores[sequence.name] = metrics.score(sequence, out)
    rows = {name: summarize(raw) for name, raw in scores.items()}
    return rows | {report.COMBINED: summarize(metrics.combine(scores))}


def _evaluation(
    metrics: Metrics,
    scores: dict[str, Raw],
    times: Mapping[str, list[float]],
    smoothed: dict[str, dict[str, float]],
) -> Evaluation:
    combined = metrics.combine(scores)
    rows = {name: summarize(raw) for name, raw in scores.items()}
    rows[report.COMBINED] = summarize(combined)
    all_seconds = [s for seconds in times.values() for s in seconds]
    for name, seconds in times.items() if all_seconds else ():
        rows[name]["ms"] = statistics_ms(seconds)["mean"]
    if all_seconds:
        rows[report.COMBINED]["ms"] = statistics_ms(all_seconds)["mean"]
    return Evaluation(rows, scores, combined, smoothed)


def _write(path: Path, title: str, found: Evaluation, times: Mapping[str, list[float]]) -> None:
    content = {
        "title": title,
        "metrics": found.rows,
        **({"smoothed": found.smoothed} if found.smoothed else {}),
        "ms": {name: statistics_ms(seconds) for name, seconds in times.items()},
        "curve": hota_curve(found.combined),
    }
    write_json(path, content)


def title(config: DictConfig) -> str:
    """What is scored: the names of the tracker and the model, or the folder of results."""
    if config.results is not None:
        return str(config.results)
    tracker = str(config.tracker.name)
    return tracker if config.detector is None else f"{tracker}, {model_name(config.detector)}"
