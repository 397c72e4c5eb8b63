"""`vidan view`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging
from vidan.support.extras import import_extra

HELP = """\
vidan view <run directory> [key=value] ...

Shows a finished run in the browser: counts, visits, objects over time and events, the heat map, and
the video that was recorded. A click on an event plays the video from there. Reads history.sqlite,
which sink=web writes, or events.jsonl of sink=events, and heatmap.npz and the videos in the
directory. Boxes, labels and trails that a video lacks are drawn over it from results.jsonl of
sink=jsonl. Prints the address of the page; Ctrl-C ends it. Needs vidan[web].

  vidan street.mp4 scene=street.yaml sink=[video,events] run_dir=runs/street
  vidan view runs/street

Every key with its default:

"""


def main(arguments: list[str]) -> int:
    """`vidan view`."""
    if asks_for_help(arguments):
        write_help(HELP, "view")
        return 0
    import_extra("aiohttp", "web")
    from .view import run

    setup_logging()
    return run(arguments)
