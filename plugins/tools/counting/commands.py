"""`vidan eval counting`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging

HELP = """\
vidan eval counting data=<folder> [tracker=<name>] [key=value] ...
vidan eval counting data=<folder> detector=onnx detector.model=<file> images=<folder> ...
vidan eval counting data=<folder> results=<folder of <seq>.txt> [key=value] ...

Counts people at gates, lines across the whole image, in the tracks of a tracker or of another
program, and compares the counts with the ground truth. Options of the counter are those of the
analyzer, such as analytics.lines.dead_band=0.1.

data is a folder of sequences in MOTChallenge layout, as for vidan eval tracking. Every key with
its default:

"""


def evaluate(arguments: list[str]) -> int:
    """`vidan eval counting`."""
    if asks_for_help(arguments):
        write_help(HELP, "eval_counting")
        return 0
    from .evaluation import run

    setup_logging()
    return run(arguments)
