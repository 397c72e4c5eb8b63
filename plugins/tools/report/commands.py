"""`vidan report`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging

HELP = """\
vidan report <run, folder, file or database> [key=value] ...

Answers questions about the events of runs: hours (how many in each interval), lines (crossings by
direction), zones (visits, and how long they took), flows (from where to where), busiest (the 15
minutes with the most crossings or visitors). Needs vidan[report].

  vidan report runs/2026-11-25_08-00-00        events.jsonl, vidan.sqlite or dataset/ in it
  vidan report runs                            all runs in a folder
  vidan report dataset rule=door every=15min since=2026-11-25 csv=report plot=report.png
  vidan report postgresql://me@host/database   the password from PGPASSWORD

Times are dates and local times where the events have them: those of cameras, and of recordings with
`recorded`. Else they are stream times. Every key with its default:

"""


def main(arguments: list[str]) -> int:
    """`vidan report`."""
    if asks_for_help(arguments):
        write_help(HELP, "report")
        return 0
    from .report import run

    setup_logging()
    return run(arguments)
