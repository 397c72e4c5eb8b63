"""What a person sees of a training run: a live table in a terminal, a line an epoch elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

COLUMNS = ("epoch", "seconds", "loss", "class_loss", "box_loss", "AP50", "mAP50", "mAP", "F1")
ROWS = 15  # epochs that a live table shows


class Display:
    """Rows of an epoch each; in a terminal also how far the epoch is."""

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

    def open(self) -> None:
        """Show from now on."""
        if self._console.is_terminal:
            self._live = Live(self._view(), console=self._console, refresh_per_second=4)
            self._live.start()

    def begin(self, epoch: int, epochs: int, batches: int) -> None:
        """An epoch begins; counted from 1."""
        if self._live:
            self._progress.reset(self._task, total=batches, epoch=f"{epoch}/{epochs}")

    def batch(self, loss: float) -> None:
        """A batch is done."""
        if self._live:
            self._progress.update(self._task, advance=1, loss=loss)

    def row(self, figures: Mapping[str, Any], best: bool) -> None:
        """An epoch is done; `best` says that it is the best so far."""
        if self._live:
            self._rows.append((figures, best))
            self._live.update(self._view())
            return
        text = " ".join(f"{name}={value}" for name, value in figures.items())
        self._console.print(text + (" best" if best else ""))

    def close(self) -> None:
        """Show no more; the table stays."""
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
        for figures, best in self._rows[-ROWS:]:
            cells = [str(figures.get(name, "")) for name in COLUMNS]
            table.add_row(*cells, style="bold" if best else None)
        return table
