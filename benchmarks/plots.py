"""Draw the plots of the saved results again: `python -m benchmarks.plots [--out FOLDER]`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidan.support.program import run_program
from vidan_plugins.tools.bench import plot, sweep

from .inputs import parser
from .report import RESULTS, load
from .soak import latency_drift
from .suite import cameras, peers


def draw(found: Mapping[str, Any], folder: Path) -> None:
    """Draw the plot of a result, if it has one, from the figures in it."""
    for name in found["plots"]:
        if "intervals" in found:
            latency_drift.draw(folder / name, found["intervals"])
        elif found["name"] == cameras.NAME:
            cameras.draw(folder / name, found["figures"])
        elif "peers" in found:
            peers.draw(folder / name, found["figures"])
        elif isinstance(found["settings"], list):
            sweep.draw(folder / name, found["modes"])
        else:
            plot.latency(folder / name, found["modes"])


def main() -> int:
    """Draw the plots of all results."""
    args = parser("benchmarks.plots", str(__doc__)).parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(RESULTS.glob("*.json")):
        draw(load(path), args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.plots", main)
