"""`vidan eval detection`: evaluate a detector on labeled images and slices of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.cli.subcommands import asks_for_help, run_directory, write_help, write_json
from vidan.cli.terminal import console, setup_logging
from vidan.config.compose import compose
from vidan.support.extras import import_extra

from . import report
from .dataset import EvaluationData, load
from .detector import open_detector
from .measure import EvaluationResult, LooseResult, measure, measure_loose
from .plots import plot
from .settings import EvaluationSettings
from .sheet import write_mistakes_sheet
from .slices import CLEAN

HELP = """\
vidan eval detection [data=<images>] [detector=<name>] [detector.model=<file>] [key=value] ...

Runs a detector on labeled images, unchanged and with haze, low light and motion blur, and
scores it by COCO's rules. The detector is built as for a run; P, R, F1 and the confusion matrix
are at the threshold that a run would use. Needs vidan[eval].

Every key with its default:

{keys}

detector.<key> sets the detector's own keys; `vidan detector=<name> --cfg job` shows them.
"""


def main(arguments: list[str]) -> int:
    """Run `vidan eval detection`."""
    if asks_for_help(arguments):
        write_help(HELP, "eval_detection")
        return 0
    setup_logging()
    config = compose(arguments, "eval_detection")
    settings = EvaluationSettings.from_config(config)
    for module in ("faster_coco_eval", "matplotlib"):
        import_extra(module, "eval")  # fails before minutes of detection, not after
    data, loose_data = load(config)
    subject = open_detector(config.detector, settings.min_score)
    try:
        directory = run_directory(config)
        result = measure(subject, data, settings)
        loose = None
        if loose_data is not None:
            loose = measure_loose(subject, loose_data, result.threshold, settings)
    finally:
        subject.close()
    _write(directory, config, result, loose, {"data": data, "loose_data": loose_data})
    _print(directory, result, loose, settings)
    return 0


def _print(
    directory: Path,
    result: EvaluationResult,
    loose: LooseResult | None,
    settings: EvaluationSettings,
) -> None:
    """Print the tables."""
    terminal = console()
    rows = result.slices[CLEAN].rows
    terminal.print(report.slice_table(result.slices, result.labels))
    terminal.print(f"\nP, R and F1: labels and boxes right, score {result.threshold:.3f} or more\n")
    terminal.print(report.label_table(rows))
    terminal.print()
    terminal.print(report.threshold_table(result.points, settings.target_name))
    terminal.print()
    terminal.print(report.confusion_choice({"": result.confusion}, result.labels, terminal))
    terminal.print(f"\n{report.score_scale_line(result.score_scale)}", markup=False)
    files = ["metrics.json", "metrics.png", "worst.png", "config.yaml"]
    if loose is not None:
        terminal.print("\nconfusion on loosely drawn boxes:\n")
        terminal.print(report.confusion_choice(loose.groups, loose.labels, terminal))
        files.insert(3, "loose_worst.png")
    terminal.print(f"\nin {directory}: {', '.join(files)}")


def _write(
    directory: Path,
    config: DictConfig,
    result: EvaluationResult,
    loose: LooseResult | None,
    data: dict[str, EvaluationData | None],
) -> None:
    """Write JSON, plots and contact sheets."""
    content: dict[str, Any] = {
        "detector": OmegaConf.to_container(config.detector, resolve=True),
        **{
            key: {"title": each.title, "images": len(each.samples)}
            for key, each in data.items()
            if each
        },
        **report.content(result, loose),
    }
    write_json(directory / "metrics.json", report.to_json(content))
    model = config.detector.get("model")
    title = " ".join([str(config.detector.name), *([] if model is None else [Path(model).name])])
    plot(directory / "metrics.png", f"{title} on {content['data']['title']}", result)
    write_mistakes_sheet(directory / "worst.png", result.mistakes)
    if loose is not None:
        write_mistakes_sheet(directory / "loose_worst.png", loose.mistakes)
