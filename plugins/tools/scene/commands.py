"""`vidan scene`: help and entry point."""

from __future__ import annotations

from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import setup_logging
from vidan.support.extras import import_extra

HELP = """\
vidan scene scene=<file> [source=file source.path=street.mp4] [key=value] ...

Draws lines, zones and points on the ground in the browser, over an image of the source, and saves
them in the scene file, which is created if it does not exist. Comments in it stay, and the version
before is kept in <file>.bak. Prints the address of the page; Ctrl-C ends it. Needs vidan[web].

  vidan scene scene=shop.yaml source=rtsp source.url=rtsp://camera/stream
  vidan scene scene=street.yaml source=file source.path=street.mp4 labels=[person,vehicle]

Every key with its default:

"""


def main(arguments: list[str]) -> int:
    """`vidan scene`."""
    if asks_for_help(arguments):
        write_help(HELP, "edit_scene")
        return 0
    for module in ("aiohttp", "ruamel.yaml"):
        import_extra(module, "web")
    from .edit import run

    setup_logging()
    return run(arguments)
