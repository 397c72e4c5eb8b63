"""`vidan eval tracking`, `vidan tune tracking` and `vidan smooth`: their help, what they run."""

from __future__ import annotations

import sys

from vidan.cli.subcommands import asks_for_help, keys
from vidan.cli.terminal import listen

HELP = """\
vidan {command} tracking data=<folder> [tracker=<name>] [key=value] ...

{about}

data is a folder of sequences in MOTChallenge layout (<seq>/det/det.txt and
<seq>/gt/gt.txt; ground truth, features and images may stand beside them, or where
gt=, features= and images= say). Every key with its default:

{keys}"""

SMOOTH = """\
vidan smooth tracks=<file or folder> [key=value] ...

Fills the gaps of tracks that sink=mot or another program wrote (MOTChallenge's text
format) and smooths their paths: for files, where the future is known. Every key with
its default:

"""

ABOUT = {
    "eval": "Runs a tracker over given detections and scores it by TrackEval, or scores what\n"
    "another program wrote: results=<folder of <seq>.txt>. Needs vidan[eval].",
    "tune": "Searches a tracker's parameters and reports on sequences left out of the search:\n"
    "search='{max_age:[1,60],iou_threshold:[0.1,0.5]}'. Needs vidan[tune].",
}


def evaluate(arguments: list[str]) -> int:
    """`vidan eval tracking`."""
    if asks_for_help(arguments):
        return _help("eval", "eval_tracking")
    from .tracking import tracking

    listen()
    return tracking(arguments)


def tune(arguments: list[str]) -> int:
    """`vidan tune tracking`."""
    if asks_for_help(arguments):
        return _help("tune", "tune_tracking", "eval_tracking")
    from .tuning import tuning

    listen()
    return tuning(arguments)


def smooth(arguments: list[str]) -> int:
    """`vidan smooth`."""
    if asks_for_help(arguments):
        sys.stdout.write(SMOOTH + keys("smooth") + "\n")
        return 0
    from .smoothing import smoothing

    listen()
    return smoothing(arguments)


def _help(command: str, *config_names: str) -> int:
    """Print a command's help."""
    sys.stdout.write(
        HELP.format(command=command, about=ABOUT[command], keys=keys(*config_names)) + "\n"
    )
    return 0
