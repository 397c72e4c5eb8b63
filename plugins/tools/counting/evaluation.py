"""`vidan eval counting`: counts at gates in the tracks of a tracker, and scores the counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.compose import compose

from ..tracking.evaluation import title
from ..tracking.report import COMBINED
from ..tracking.sequences import DETECTOR_SUFFIX
from . import report
from .cases import Case, load_cases
from .counting import check_options, count_crossings
from .gates import Crossing, true_crossings
from .scores import Scores, score, total
from .settings import Settings


def run(arguments: Sequence[str]) -> int:
    """Evaluate according to overrides: `data=`, `tracker=`, `gates=` and so on."""
    config = compose(arguments, "eval_counting")
    settings = Settings.from_config(config)
    check_options(settings.lines)
    cases = load_cases(config)
    directory = run_directory(config)
    tables = evaluate(cases, settings)
    _write(directory / "counting.json", title(config), tables)
    report.plot(directory / "counting.png", next(iter(tables.values())), title(config))
    terminal = console()
    for name, scores in tables.items():
        terminal.print(f"{title(config)}, {name}")
        terminal.print(report.table(with_totals(scores)))
    terminal.print(f"in {directory}: counting.json, counting.png, config.yaml")
    return 0


def evaluate(cases: Iterable[Case], settings: Settings) -> dict[str, dict[str, Scores]]:
    """Scores of all sequences, by name, for each dead band of the truth.

    Tracks are not computed again, so this takes seconds.

    Args:
        cases: the sequences and their tracks.
        settings: where to count, and what is true.

    Raises:
        ConfigError: an invalid option of the analyzer.
    """
    cases = list(cases)
    counted = {
        case.name: count_crossings(case.results, settings.gates.gates(case.size), settings.lines)
        for case in cases
    }
    return score_all(cases, counted, settings)


def score_all(
    cases: Iterable[Case], counted: Mapping[str, list[Crossing]], settings: Settings
) -> dict[str, dict[str, Scores]]:
    """Scores of counted crossings by dead band of the truth and by sequence."""
    cases = list(cases)
    return {
        f"dead band {dead_band:g}": {
            case.name: score(
                true_crossings(
                    case.people, settings.gates.gates(case.size), dead_band, settings.extent
                ),
                counted[case.name],
                settings.tolerance,
            )
            for case in cases
        }
        for dead_band in settings.dead_bands
    }


def with_totals(scores: Mapping[str, Scores]) -> dict[str, Scores]:
    """Scores by sequence, with those of each public detector of MOT17, and of all sequences."""
    detectors: dict[str, list[Scores]] = {}
    for name, found in scores.items():
        if suffix := DETECTOR_SUFFIX.search(name):
            detectors.setdefault(suffix[1], []).append(found)
    groups = {f"all {name}": total(found) for name, found in sorted(detectors.items())}
    return {**scores, **groups, COMBINED: total(scores.values())}


def _write(path: Path, name: str, tables: Mapping[str, Mapping[str, Scores]]) -> None:
    content = {
        key: {row: found.summary() for row, found in with_totals(scores).items()}
        for key, scores in tables.items()
    }
    write_json(path, {"title": name, "scores": content})
