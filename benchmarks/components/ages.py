"""`sink=ages`: when each frame arrives at a sink, and its age then."""

from __future__ import annotations

import time

from vidan import hookimpl
from vidan.config.build import RunContext
from vidan.registry.components import Registrar
from vidan.types import Result

FILE = "ages.txt"


class Ages:
    """Writes a line for each frame: the monotonic clock, and the time since it was captured, s.

    Args:
        run: given by the run, whose directory has the file.
    """

    lossless = True

    def __init__(self, run: RunContext) -> None:
        self._file = (run.directory / FILE).open("w", encoding="utf-8", buffering=1)

    def write(self, result: Result) -> None:
        """Write the line of a frame."""
        now = time.monotonic()
        self._file.write(f"{now:.4f} {now - result.frame.captured:.4f}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@hookimpl
def vidan_components(registry: Registrar) -> None:
    """Add the sink."""
    registry.add("sink", "ages", f"{__name__}:Ages")
