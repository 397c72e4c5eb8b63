"""`vidan eval <what>` and `vidan tune <what>`: the word behind the command says which."""

from __future__ import annotations

import importlib
import importlib.resources
import logging
import sys

from vidan.errors import ConfigError, did_you_mean
from vidan.progress import console, log_handler

EVALUATIONS = {"tracking": ".tracking:tracking"}
"""What can be evaluated, and the function that does it."""

SEARCHES = {"tracking": ".tuning:tuning"}
"""What can be tuned, and the function that does it."""

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
    """`vidan eval`."""
    return _dispatch("eval", EVALUATIONS, arguments)


def tune(arguments: list[str]) -> int:
    """`vidan tune`."""
    return _dispatch("tune", SEARCHES, arguments)


def _dispatch(command: str, known: dict[str, str], arguments: list[str]) -> int:
    what = arguments[0] if arguments else ""
    if not arguments or {"-h", "--help"} & set(arguments):
        sys.stdout.write(_help(command))
        return 0 if arguments else ConfigError.exit_code
    if what not in known:
        raise ConfigError(f"vidan {command}: unknown {what!r}: {did_you_mean(what, known)}")
    _log()
    module, _, name = known[what].partition(":")
    function = getattr(importlib.import_module(module, __package__), name)
    return int(function(arguments[1:]))


def _help(command: str) -> str:
    files = importlib.resources.files("vidan.conf")
    names = ("tune_tracking", "eval_tracking") if command == "tune" else ("eval_tracking",)
    lines = [
        line
        for name in names
        for line in (files / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        if ": " in line and not line.startswith(("#", " "))
    ]
    return HELP.format(command=command, about=ABOUT[command], keys="\n".join(lines)) + "\n"


def _log() -> None:
    """Log to stderr for people, unless somebody listens already."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(log_handler(console(stderr=True)))
        root.setLevel(logging.INFO)
