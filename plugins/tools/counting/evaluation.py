"""`vidan eval counting`: counts in the tracks of a tracker, and scores the counts."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from omegaconf import DictConfig

from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.compose import compose

from ..tracking.detection import Detection
from ..tracking.evaluation import title
from ..tracking.report import COMBINED
from ..tracking.sequences import DETECTOR_SUFFIX
from . import peers, report
from .cases import Case, find, load_cases
from .counting import check_options, count_crossings, count_visits
from .gates import Crossing
from .scores import Scores, score
from .settings import Settings
from .visit_scores import VisitScores, score_visits
from .visits import Visit

AnyScores = TypeVar("AnyScores", Scores, VisitScores)
Tables = dict[str, dict[str, AnyScores]]
"""Scores by what was counted with, and by sequence."""


def run(arguments: Sequence[str]) -> int:
    """Evaluate according to overrides: `data=`, `tracker=`, `gates=` and so on."""
    config = compose(arguments, "eval_counting")
    settings = Settings.from_config(config)
    check_options(settings.lines, settings.zones)
    report.check()
    if settings.peers:
        peers.supervision()
    sequences = find(config)
    detection = None if config.detector is None else Detection(config)
    directory = run_directory(config)
    cases = load_cases(config, settings, sequences, detection)
    crossings, visits = evaluate(cases, settings), evaluate_visits(cases, settings)
    name = _title(config)
    content = {"title": name, "crossings": _as_json(crossings), "visits": _as_json(visits)}
    write_json(directory / "counting.json", content)
    report.plot(directory / "counting.png", next(iter(crossings.values())), name)
    _print(f"{name}: crossings of {config.gates} gates", crossings)
    _print(f"{name}: visits to the middle third", visits)
    console().print(f"in {directory}: counting.json, counting.png, config.yaml")
    return 0


def evaluate(cases: Iterable[Case], settings: Settings) -> Tables[Scores]:
    """Scores of crossings: of `lines` for each dead band of the truth, and of peers.

    Tracks are not computed again, so this takes seconds.

    Args:
        cases: the sequences and their tracks.
        settings: where to count, and what is true.

    Raises:
        ConfigError: an invalid option of the analyzer.
    """
    cases = list(cases)
    counted = {
        case.name: count_crossings(case.results, case.gates(settings), settings.lines, case.label)
        for case in cases
    }
    tables = {
        _dead_band(value): score_crossings(cases, counted, settings, value)
        for value in settings.dead_bands
    }
    for name, options in peers.LINE_ZONES.items() if settings.peers else ():
        counted = {
            case.name: peers.line_zone(case.labeled, case.gates(settings), options)
            for case in cases
        }
        tables[name] = score_crossings(cases, counted, settings, settings.dead_bands[0])
    return tables


def evaluate_visits(cases: Iterable[Case], settings: Settings) -> Tables[VisitScores]:
    """Scores of visits to the middle third: as `evaluate`, of `zones`."""
    cases = list(cases)
    counted = {
        case.name: count_visits(case.results, case.size, settings.zones, case.label)
        for case in cases
    }
    tables = {
        _dead_band(value): _score_visits(cases, counted, settings, value)
        for value in settings.dead_bands
    }
    if settings.peers:
        counted = {case.name: peers.polygon_zone(case.labeled, case.size) for case in cases}
        tables[peers.POLYGON_ZONE] = _score_visits(cases, counted, settings, settings.dead_bands[0])
    return tables


def score_crossings(
    cases: Iterable[Case],
    counted: Mapping[str, list[Crossing]],
    settings: Settings,
    dead_band: float,
) -> dict[str, Scores]:
    """Scores of counted crossings by sequence, for a dead band of the truth."""
    return {
        case.name: score(
            case.crossings(settings, dead_band),
            counted[case.name],
            settings.tolerance,
            settings.reach,
        )
        for case in cases
    }


def _score_visits(
    cases: Iterable[Case],
    counted: Mapping[str, list[Visit]],
    settings: Settings,
    dead_band: float,
) -> dict[str, VisitScores]:
    return {
        case.name: score_visits(case.visits(settings, dead_band), counted[case.name])
        for case in cases
    }


def with_totals(scores: Mapping[str, AnyScores]) -> dict[str, AnyScores]:
    """Scores by sequence, and their totals."""
    return {**scores, **totals(scores)}


def totals(scores: Mapping[str, AnyScores]) -> dict[str, AnyScores]:
    """Scores of each public detector of MOT17, and of all sequences."""
    detectors: dict[str, list[AnyScores]] = {}
    for name, found in scores.items():
        if suffix := DETECTOR_SUFFIX.search(name):
            detectors.setdefault(suffix[1], []).append(found)
    groups = {
        f"all {name}": functools.reduce(operator.add, found)
        for name, found in sorted(detectors.items())
    }
    return {**groups, COMBINED: functools.reduce(operator.add, scores.values())}


def _print(heading: str, tables: Tables[AnyScores]) -> None:
    """The first table with all sequences, the others with their totals only."""
    terminal = console()
    for number, (name, scores) in enumerate(tables.items()):
        terminal.print(f"{heading}, {name}" if number else f"{heading}, truth with {name}")
        terminal.print(report.table(totals(scores) if number else with_totals(scores)))
        terminal.print()


def _as_json(tables: Tables[AnyScores]) -> dict[str, object]:
    return {
        name: {row: found.summary() for row, found in with_totals(scores).items()}
        for name, scores in tables.items()
    }


def _dead_band(value: float) -> str:
    return f"dead band {value:g}"


def _title(config: DictConfig) -> str:
    return "broken ground truth" if config.broken else title(config)
