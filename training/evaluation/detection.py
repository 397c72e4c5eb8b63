"""`vidan eval detection`: how good a detector is, on labeled images and slices of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.cli.subcommands import (
    asks_for_help,
    import_extra,
    keys,
    run_directory,
    write_json,
)
from vidan.cli.terminal import console, setup_logging
from vidan.config.compose import compose

from . import report
from .dataset import Dataset, load
from .detector import open_subject
from .measure import Heads, Outcome, count_heads, measure
from .plots import plot
from .settings import Settings
from .sheet import write_sheet
from .slices import CLEAN

HELP = """\
vidan eval detection [data=<images>] [detector=<name>] [detector.model=<file>] [key=value] ...

Runs a detector over labeled images, as they are and in haze, low light and motion blur,
and scores it by COCO's rules. The detector is built as for a run; the figures P, R, F1 and
the confusions are at the threshold that a run would use. Needs vidan[eval].

Every key with its default:

{keys}

detector.<key> sets the detector's own keys; `vidan detector=<name> --cfg job` shows them.
"""


def main(arguments: list[str]) -> int:
    """`vidan eval detection`."""
    if asks_for_help(arguments):
        sys.stdout.write(HELP.format(keys=keys("eval_detection")))
        return 0
    setup_logging()
    config = compose(arguments, "eval_detection")
    settings = Settings.of(config)
    for module in ("faster_coco_eval", "matplotlib"):
        import_extra(module, "eval")  # before minutes of detection, not after
    data, loose = load(config)
    subject = open_subject(config.detector, settings.lowest)
    try:
        directory = run_directory(config)
        outcome = measure(subject, data, settings)
        heads = count_heads(subject, loose, outcome.threshold, settings) if loose else None
    finally:
        subject.close()
    _keep(directory, config, outcome, heads, {"data": data, "confusions": loose})
    _show(directory, outcome, heads, settings)
    return 0


def _show(directory: Path, outcome: Outcome, heads: Heads | None, settings: Settings) -> None:
    """Print the tables."""
    terminal = console()
    rows = outcome.slices[CLEAN].rows
    terminal.print(report.slice_table(outcome.slices, outcome.labels))
    terminal.print(
        f"\nP, R and F1: labels and boxes right, score {outcome.threshold:.3f} or more\n"
    )
    terminal.print(report.label_table(rows, outcome.points, settings.sure))
    terminal.print()
    terminal.print(report.confusion_table(outcome.counts, outcome.labels))
    files = ["metrics.json", "metrics.png", "worst.png", "config.yaml"]
    if heads is not None:
        terminal.print("\nconfusions on loosely drawn heads:\n")
        terminal.print(report.loose_table(heads.groups, heads.labels))
        files.insert(3, "confusions.png")
    terminal.print(f"\nin {directory}: {', '.join(files)}")


def _keep(
    directory: Path,
    config: DictConfig,
    outcome: Outcome,
    heads: Heads | None,
    data: dict[str, Dataset | None],
) -> None:
    """Write JSON, plots and contact sheets."""
    content: dict[str, Any] = {
        "detector": OmegaConf.to_container(config.detector, resolve=True),
        **{
            key: {"title": one.title, "pictures": len(one.samples)}
            for key, one in data.items()
            if one
        },
        **report.content(outcome, heads),
    }
    write_json(directory / "metrics.json", report.plain(content))
    model = config.detector.get("model")
    title = " ".join([str(config.detector.name), *([] if model is None else [Path(model).name])])
    plot(directory / "metrics.png", f"{title} on {content['data']['title']}", outcome)
    write_sheet(directory / "worst.png", outcome.mistakes)
    if heads is not None:
        write_sheet(directory / "confusions.png", heads.mistakes)
