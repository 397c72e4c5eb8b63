"""`vidan eval tracking`: runs a tracker over given detections, and scores what it says."""

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
from vidan.config.compose import compose
from vidan.errors import SourceError

from . import overrides, report
from .follow import follow, milliseconds, read
from .metrics import Metrics, Raw, curve, figures
from .sequences import Video, find
from .smoothing import Smoothing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The scores of some sequences.

    Attributes:
        rows: the table: figures by sequence, and `together`.
        scores: what TrackEval says of each sequence.
        whole: what it says of all together.
        smoothed: figures, as `rows`, of the same tracks smoothed afterwards; {} if not asked for.
    """

    rows: dict[str, dict[str, float]]
    scores: dict[str, Raw]
    whole: Raw
    smoothed: dict[str, dict[str, float]]


def tracking(arguments: Sequence[str]) -> int:
    """Evaluate what the overrides say: `data=`, `tracker=` and any key of either."""
    config = compose(arguments, "eval_tracking")
    outcome = evaluate(config)
    directory = Path(config.run_dir)
    report.plot(directory / "metrics.png", outcome.rows, curve(outcome.whole), title=_title(config))
    terminal = console()
    terminal.print(report.table(list(outcome.rows.items())))
    if outcome.smoothed:
        terminal.print("\nafterwards, the future being known: gaps filled, smoothed")
        terminal.print(report.table(list(outcome.smoothed.items())))
    terminal.print(f"in {directory}: metrics.json, metrics.png, config.yaml, tracks")
    return 0


def evaluate(config: DictConfig) -> Outcome:
    """Score a tracker, or files of results; writes tracks and metrics.json.

    Args:
        config: as of `conf/eval_tracking.yaml`.

    Raises:
        VidanError: bad options, missing files or a missing extra.
    """
    metrics = Metrics(config.benchmark)
    how = Smoothing.of(config) if options.boolean("smooth", config.smooth) else None
    given = overrides.results(config)
    videos = scored(find(overrides.folders(config), overrides.names(config, "sequences")))
    files = None if given is None else _files(given, videos)
    directory = run_directory(config)
    times: dict[str, list[float]] = {}
    if files is None:
        files = _track(videos, overrides.options(config, "tracker"), directory / "tracks", times)
    scores = {v.name: metrics.score(v, files[v.name]) for v in videos if v.name in files}
    smoothed: dict[str, dict[str, float]] = {}
    if how is not None:
        smoothed = _smooth(metrics, videos, files, how, directory / "smooth")
    outcome = _outcome(metrics, scores, times, smoothed)
    write_json(
        directory / "metrics.json",
        {
            "title": _title(config),
            "figures": outcome.rows,
            **({"smoothed": outcome.smoothed} if outcome.smoothed else {}),
            "ms": {name: milliseconds(seconds) for name, seconds in times.items()},
            "curve": curve(outcome.whole),
        },
    )
    return outcome


def scored(videos: Sequence[Video]) -> list[Video]:
    """The sequences that have ground truth; says which have none.

    Raises:
        SourceError: none has.
    """
    known = [video for video in videos if video.truth is not None]
    if not known:
        raise SourceError(
            f"no ground truth for {videos[0].name!r} nor another: expected <seq>/gt/gt.txt, or "
            "say gt=<folder>"
        )
    if missing := [video.name for video in videos if video.truth is None]:
        log.warning("left out, having no ground truth: %s", ", ".join(missing))
    return known


def _files(folder: Path, videos: Sequence[Video]) -> dict[str, Path]:
    """The file of results of each sequence that has one; says which have none."""
    files = {video.name: folder / f"{video.name}.txt" for video in videos}
    there = {name: file for name, file in files.items() if file.is_file()}
    if not there:
        raise SourceError(
            f"no results in {str(folder)!r}: expected files such as {videos[0].name}.txt"
        )
    if missing := sorted(files.keys() - there.keys()):
        log.warning("left out, having no results: %s", ", ".join(missing))
    return there


def _track(
    videos: Sequence[Video],
    tracker: Mapping[str, Any],
    folder: Path,
    times: dict[str, list[float]],
) -> dict[str, Path]:
    """Run the tracker over all sequences; fills `times`, s of each frame."""
    files = {}
    for video in videos:
        files[video.name] = folder / f"{video.name}.txt"
        times[video.name] = follow(read(video), tracker, files[video.name])
        log.info("%s: %d frames", video.name, len(times[video.name]))
    return files


def _smooth(
    metrics: Metrics,
    videos: Sequence[Video],
    files: Mapping[str, Path],
    how: Smoothing,
    folder: Path,
) -> dict[str, dict[str, float]]:
    """The figures of the same tracks, smoothed into a folder."""
    scores = {}
    for video in (v for v in videos if v.name in files):
        out = folder / f"{video.name}.txt"
        how.file(files[video.name], out, video.rate)
        scores[video.name] = metrics.score(video, out)
    rows = {name: figures(raw) for name, raw in scores.items()}
    return rows | {report.TOGETHER: figures(metrics.together(scores))}


def _outcome(
    metrics: Metrics,
    scores: dict[str, Raw],
    times: Mapping[str, list[float]],
    smoothed: dict[str, dict[str, float]],
) -> Outcome:
    whole = metrics.together(scores)
    rows = {name: figures(raw) for name, raw in scores.items()}
    rows[report.TOGETHER] = figures(whole)
    every = [s for seconds in times.values() for s in seconds]
    for name, seconds in times.items() if every else ():
        rows[name]["ms"] = milliseconds(seconds)["mean"]
    if every:
        rows[report.TOGETHER]["ms"] = milliseconds(every)["mean"]
    return Outcome(rows, scores, whole, smoothed)


def _title(config: DictConfig) -> str:
    return str(config.tracker.name if config.results is None else config.results)
