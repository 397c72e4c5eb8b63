"""`python -m benchmarks.latency`: `vidan bench` on the suite's video, kept among the results.

Takes what `vidan bench` takes; with `-m` the result is `sweep`. `--out FOLDER` keeps the
result elsewhere.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path

from vidan.progress import console, listen
from vidan_plugins.bench.commands import bench
from vidan_plugins.bench.results import save, show

from .inputs import parser, real_video


def latency(arguments: list[str], out: Path, command: str) -> None:
    """Measure, print, and keep the result and its plot in a folder."""
    real = real_video()
    makes_its_own = any(a.startswith(("source", "size=", "people=")) for a in arguments)
    given = arguments if real is None or makes_its_own else [f"source.path='{real}'", *arguments]
    for found, folder in bench(given, command):
        show(found, console())
        # It goes into the repository: without paths of this machine.
        save(json.loads(json.dumps(found).replace(f"{Path.cwd()}/", "")), out)
        for plot in found["plots"]:
            shutil.copy(folder / plot, out / plot)
        console().print(f"in {out}: {found['name']}.json, {', '.join(found['plots'])}")


def main() -> int:
    """Run from the command line."""
    known, others = parser("benchmarks.latency", str(__doc__)).parse_known_args()
    listen()
    latency(others, known.out, shlex.join(["python", "-m", "benchmarks.latency", *others]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
