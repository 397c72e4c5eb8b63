"""Progress of a training run: a live table in a terminal, otherwise a line per epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

COLUMNS = ("epoch", "seconds", "loss", "class_loss", "box_loss", "AP50", "mAP50", "mAP", "F1")
MAX_ROWS = 15  # epochs in the live table
REFRESHES_PER_SECOND = 4


class TrainingDisplay:
    """Shows a row for each epoch, and in a terminal the progress within the epoch."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[tuple[Mapping[str, Any], bool]] = []
        self._live: Live | None = None
        if console.is_terminal:
            self._progress = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]:.4f}"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._progress.add_task("", total=None, epoch="", loss=float("nan"))

    def announce_compilation(self) -> None:
        """Say that nothing is shown while the model is compiled, which can take minutes."""
        self._console.print("compiling the model: the first batch can take minutes")

    def open(self) -> None:
        """Start the live display."""
        if self._console.is_terminal:
            self._live = Live(
                self._view(), console=self._console, refresh_per_second=REFRESHES_PER_SECOND
            )
            self._live.start()

    def begin_epoch(self, epoch: int, epochs: int, batches: int) -> None:
        """Reset the progress bar for an epoch, counted from 1."""
        if self._live:
            self._progress.reset(self._task, total=batches, epoch=f"{epoch}/{epochs}")

    def end_batch(self, loss: float) -> None:
        """Advance the progress bar by a batch."""
        if self._live:
            self._progress.update(self._task, advance=1, loss=loss)

    def end_epoch(self, row: Mapping[str, Any], best: bool) -> None:
        """Add the row of an epoch; `best` marks the best one so far."""
        if self._live:
            self._rows.append((row, best))
            self._live.update(self._view())
            return
        text = " ".join(f"{name}={value}" for name, value in row.items())
        self._console.print(text + (" best" if best else ""))

    def close(self) -> None:
        """Stop the live display; the table remains visible."""
        if self._live:
            self._live.update(self._table())
            self._live.stop()
            self._live = None

    def _view(self) -> Group:
        return Group(self._table(), self._progress)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="right")
        for row, best in self._rows[-MAX_ROWS:]:
            cells = [str(row.get(name, "")) for name in COLUMNS]
            table.add_row(*cells, style="bold" if best else None)
        return table
