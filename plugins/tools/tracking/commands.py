"""`vidan eval tracking`, `vidan tune tracking` and `vidan smooth`: help and entry points."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging

EVAL_HELP = """\
vidan eval tracking data=<folder> [tracker=<name>] [key=value] ...
vidan eval tracking data=<folder> detector=onnx detector.model=<file> images=<folder> ...
vidan eval tracking data=<folder> results=<folder of <seq>.txt> [key=value] ...

Runs a tracker on given boxes and scores its tracks with TrackEval, or runs a detector and a
tracker on images, or scores the tracks that another program wrote. Needs vidan[eval].
"""

TUNE_HELP = """\
vidan tune tracking data=<folder> search='{max_age:[1,60],iou_threshold:[0.1,0.5]}' [key=value] ...

Searches a tracker's options and reports scores on sequences held out of the search. Needs
vidan[tune].
"""

DATA_HELP = """
data is a folder of sequences in MOTChallenge layout (<seq>/det/det.txt and <seq>/gt/gt.txt).
Ground truth, features and images may also be in folders next to the sequences, or in the folders
named by gt=, features= and images=. Every key with its default:

"""

SMOOTH_HELP = """\
vidan smooth tracks=<file or folder> [key=value] ...

Fills gaps in tracks and smooths their paths, offline: for files in MOTChallenge's text format,
written by sink=mot or another program. Every key with its default:

"""


def evaluate(arguments: list[str]) -> int:
    """`vidan eval tracking`."""
    if asks_for_help(arguments):
        return _help(EVAL_HELP + DATA_HELP, "eval_tracking")
    from .evaluation import run

    setup_logging()
    return run(arguments)


def tune(arguments: list[str]) -> int:
    """`vidan tune tracking`."""
    if asks_for_help(arguments):
        return _help(TUNE_HELP + DATA_HELP, "tune_tracking", "eval_tracking")
    from .tuning import run

    setup_logging()
    return run(arguments)


def smooth(arguments: list[str]) -> int:
    """`vidan smooth`."""
    if asks_for_help(arguments):
        return _help(SMOOTH_HELP, "smooth")
    from .smoothing import run

    setup_logging()
    return run(arguments)


def _help(text: str, *config_names: str) -> int:
    """Print a command's help, followed by the keys of its configuration."""
    write_help(text, *config_names)
    return 0
