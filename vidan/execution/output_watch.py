"""Notices early that the directory of a run has been removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import SinkError
from ..interfaces import EventSink, ReportsOutputs, Sink
from ..stats import Stats


class OutputWatch:
    """Stops a run whose files are written into a directory that is no longer there.

    Args:
        directory: of the run.
        sinks: of all streams.
        stop: ends the run.
    """

    def __init__(
        self, directory: Path, sinks: Sequence[Sink | EventSink], stop: Callable[[], None]
    ) -> None:
        self._directory, self._sinks, self._stop = directory, sinks, stop
        self._removed = False

    def then(self, progress: Callable[[Stats], None] | None) -> Callable[[Stats], None]:
        """A function that checks the directory, and then calls `progress`."""

        def watch(stats: Stats) -> None:
            if not self._removed and not self._directory.exists() and self._has_outputs():
                self._removed = True
                self._stop()
            if progress is not None:
                progress(stats)

        return watch

    def check(self) -> None:
        """Check that the outputs are there.

        Raises:
            SinkError: the directory was removed.
        """
        if self._removed:
            raise SinkError(
                f"{str(self._directory)!r} was removed during the run: its outputs are lost"
            )

    def _has_outputs(self) -> bool:
        """Whether a sink writes files into the directory."""
        directory = self._directory.absolute()
        return any(
            Path(path).absolute().is_relative_to(directory)
            for sink in self._sinks
            if isinstance(sink, ReportsOutputs)
            for path in sink.outputs
        )
