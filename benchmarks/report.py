"""Insert the results into README.md, between its markers: `python -m benchmarks.report`.

Every benchmark saves its figures as results/<name>.json, with the plots in the same folder (see
`vidan_plugins.tools.bench.results`, whose names are re-exported here). README.md shows them between

    <!-- result: <name> -->
    <!-- end -->
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidan.support.program import run_program
from vidan_plugins.tools.bench import results
from vidan_plugins.tools.bench.environment import environment, one_line
from vidan_plugins.tools.bench.results import Table, load, result, show, spread, tables

__all__ = ["RESULTS", "Table", "environment", "load", "result", "save", "show", "spread"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
README = FOLDER / "README.md"

MARKED = re.compile(r"(<!-- result: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def save(found: Mapping[str, Any], folder: Path) -> Path:
    """Save a result without the paths of this machine, since it goes into the repository.

    Raises:
        SinkError: the file cannot be written.
    """
    text = json.dumps(found).replace(f"{Path.cwd()}/", "")
    data = Path(os.environ.get("VIDAN_DATA", ""))
    if data.is_absolute():
        text = text.replace(str(data), "$VIDAN_DATA")
    path: Path = results.save(json.loads(text), folder)
    return path


def markdown(found: Mapping[str, Any], plots: str = "results") -> str:
    """A result as Markdown: command, tables, plots, environment.

    Args:
        found: the result.
        plots: folder of the plots, relative to the README.
    """
    parts = [f"```sh\n{found['command']}\n```"]
    parts += [table.markdown() for table in tables(found)]
    parts += [f"![{found['title']}]({plots}/{plot})" for plot in found["plots"]]
    parts.append(f"<sub>{one_line(found['environment'])}</sub>")
    return "\n\n".join(parts)


def filled(readme: str, folder: Path = RESULTS) -> str:
    """The README with all results that exist; the other sections are left unchanged."""

    def insert(match: re.Match[str]) -> str:
        path = folder / f"{match['name']}.json"
        if not path.is_file():
            return match[0]
        return f"{match[1]}\n{markdown(load(path))}\n\n{match[3]}"

    return MARKED.sub(insert, readme)


def main() -> int:
    """Update README.md."""
    argparse.ArgumentParser("python -m benchmarks.report", description=__doc__).parse_args()
    before = README.read_text(encoding="utf-8")
    README.write_text(filled(before), encoding="utf-8")
    for name in MARKED.findall(before):
        there = (RESULTS / f"{name[1]}.json").is_file()
        print(f"{name[1]}: {'shown' if there else 'no result yet'}")
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.report", main)
