"""`python -m benchmarks.suite.latency`: `vidan bench` on the suite's video, kept among the results.

Takes what `vidan bench` takes; with `-m` the result is `sweep`. `--name NAME` calls it otherwise,
so that there can be several, and `--out FOLDER` keeps it elsewhere.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from vidan.cli.terminal import console, listen
from vidan_plugins.tools.bench.commands import bench

from ..inputs import parser, real_video
from ..report import save, show


def latency(arguments: list[str], out: Path, command: str, name: str | None = None) -> None:
    """Measure, print, and keep the result and its plot in a folder, under a name of one's own."""
    real = real_video()
    makes_its_own = any(a.startswith(("source", "size=", "people=")) for a in arguments)
    given = arguments if real is None or makes_its_own else [f"source.path='{real}'", *arguments]
    for found, folder in bench(given, command):
        show(found, console())
        kept = found | {"name": name or found["name"]}
        kept["plots"] = [f"{kept['name']}.png"]
        save(kept, out)
        shutil.copy(folder / found["plots"][0], out / kept["plots"][0])
        console().print(f"in {out}: {kept['name']}.json, {kept['name']}.png")


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.latency", str(__doc__))
    options.add_argument("--name", help="of the result")
    known, others = options.parse_known_args()
    listen()
    named = ["--name", known.name] if known.name else []
    command = shlex.join(["python", "-m", "benchmarks.suite.latency", *named, *others])
    latency(others, known.out, command, known.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
