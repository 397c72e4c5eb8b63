"""`vidan eval tracking` and `vidan tune tracking`: their help, and what they run."""

from __future__ import annotations

import importlib.resources
import sys

from vidan.progress import listen

HELP = """\
vidan {command} tracking data=<folder> [tracker=<name>] [key=value] ...

{about}

data is a folder of sequences in MOTChallenge layout (<seq>/det/det.txt and
<seq>/gt/gt.txt; ground truth, features and pictures may stand beside them, or where
gt=, features= and pictures= say). Every key with its default:

{keys}"""

ABOUT = {
    "eval": "Runs a tracker over given detections and scores it by TrackEval, or scores what\n"
    "another program wrote: results=<folder of <seq>.txt>. Needs vidan[eval].",
    "tune": "Searches a tracker's parameters and reports on sequences left out of the search:\n"
    "search='{max_age:[1,60],iou_threshold:[0.1,0.5]}'. Needs vidan[tune].",
}


def evaluate(arguments: list[str]) -> int:
    """`vidan eval tracking`."""
    if _asks_for_help("eval", arguments):
        return 0
    from .tracking import tracking

    listen()
    return tracking(arguments)


def tune(arguments: list[str]) -> int:
    """`vidan tune tracking`."""
    if _asks_for_help("tune", arguments):
        return 0
    from .tuning import tuning

    listen()
    return tuning(arguments)


def _asks_for_help(command: str, arguments: list[str]) -> bool:
    """Print the help if the arguments ask for it."""
    if not {"-h", "--help"} & set(arguments):
        return False
    files = importlib.resources.files("vidan.conf")
    names = ("tune_tracking", "eval_tracking") if command == "tune" else ("eval_tracking",)
    lines = [
        line
        for name in names
        for line in (files / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        if ": " in line and not line.startswith(("#", " "))
    ]
    sys.stdout.write(
        HELP.format(command=command, about=ABOUT[command], keys="\n".join(lines)) + "\n"
    )
    return True
