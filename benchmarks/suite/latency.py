"""`vidan bench` on the suite's video, saved among the results.

    python -m benchmarks.suite.latency [--name NAME] [--out FOLDER] [arguments of vidan bench]

With `-m` the result is called `sweep` unless `--name` is given.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from vidan.cli.terminal import console, setup_logging
from vidan.support.program import run_program
from vidan_plugins.tools.bench.commands import bench

from ..inputs import parser, real_video
from ..report import save, show


def latency(arguments: list[str], out: Path, command: str, name: str | None = None) -> None:
    """Measure, print, and save the result and its plot under a name in a folder."""
    real = real_video()
    generates_video = any(a.startswith(("source", "size=", "people=")) for a in arguments)
    overrides = (
        arguments if real is None or generates_video else [f"source.path='{real}'", *arguments]
    )
    for found, folder in bench(overrides, command):
        show(found, console())
        kept = found | {"name": name or found["name"]}
        kept["plots"] = [f"{kept['name']}.png"]
        save(kept, out)
        shutil.copy(folder / found["plots"][0], out / kept["plots"][0])
        console().print(f"in {out}: {kept['name']}.json, {kept['name']}.png")


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.latency", str(__doc__))
    options.add_argument("--name", help="name of the result")
    known, others = options.parse_known_args()
    setup_logging()
    named = ["--name", known.name] if known.name else []
    command = shlex.join(["python", "-m", "benchmarks.suite.latency", *named, *others])
    latency(others, known.out, command, known.name)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.latency", main)
