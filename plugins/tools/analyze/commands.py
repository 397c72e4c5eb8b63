"""`vidan analyze`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging

HELP = """\
vidan analyze tracks=<file or folder> scene=<file> [key=value] ...

Counts objects in tracks that are known already: the same analyzers as in a run, without video. The
tracks are those of sink=mot, of another tracker, or ground truth, in MOTChallenge's text format. A
folder has several sequences: <seq>.txt, <seq>/gt/gt.txt or <seq>/gt.txt; each gets a folder of
outputs with events.jsonl and measures.json. Without analytics=, lines and zones are counted if the
scene has them. Every key with its default:

"""


def main(arguments: list[str]) -> int:
    """`vidan analyze`."""
    if asks_for_help(arguments):
        write_help(HELP, "analyze")
        return 0
    from .analyze import run

    setup_logging()
    return run(arguments)
