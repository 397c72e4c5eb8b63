"""`sink=parquet`: events, tracks and counts as a partitioned Parquet dataset."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from vidan import options
from vidan.config.build import RunContext
from vidan.errors import ConfigError
from vidan.events import Event
from vidan.journal import RunJournal
from vidan.retention import Keep
from vidan.types import Result

from ..counts.counter import Lengths
from ..deferred import STORE_DELAY_S
from ..events.spool import Spool
from .dataset import DATASET_TABLES, Dataset, check_folder
from .recorder import Recorder
from .tables import Row

WAITING = "_waiting"
"""Folder in a dataset with the rows that are in no file yet; its name makes readers skip it."""

MAX_ROWS = 20_000
"""In the files that are written at a time: these rows are in memory."""

MAX_WAITING = 1_000_000
"""Rows that wait at most, if no files can be written."""


LAST = 2**63 - 1
"""A number that no row exceeds."""


class Waiting(NamedTuple):
    """A row that is in no file yet.

    Attributes:
        began: date on which its run began, in UTC.
        row: the row.
    """

    began: str
    row: Row


DECODER = msgspec.msgpack.Decoder(Waiting)


class Parquet:
    """Writes events, tracks and counts as a Parquet dataset, for DuckDB, pandas and others.

    The files are `<table>/date=<date>/stream=<stream>/part-….parquet`, with `events`, `tracks` and
    `counts` as tables, and dates in UTC. Each is complete at any time. Rows wait in a file of the
    dataset's folder `_waiting` until there are enough for a file, or `rotate` has passed; if the
    process is killed, the next run of the stream with the same path, or the same run when it is
    resumed, writes them, so that each event is in the dataset exactly once. A track has its row
    when it has ended, a minute after its last detection.

    Args:
        path: folder of the dataset; several streams and runs may share it.
        interval: length of the intervals of counts, such as `15min`, or several of them.
        recorded: date and time at which the recording of a file began; None if it is not known.
        rotate: time after which the rows so far become a file, such as `5min`.
        keep: maximum age of the files (`30d`), total size (`10GB`), number, or several of them
            (`{age: 30d, size: 10GB}`), those of all runs in the dataset included; None to keep all.
        live_source: whether frames arrive now, as from a camera; given by the run.
        run: given by the run.

    Raises:
        ConfigError: an option has an invalid value, pyarrow is not installed, or another run of the
            stream writes to the dataset.
        SinkError: it cannot be written.
    """

    lossless = True
    write_delay = STORE_DELAY_S

    def __init__(
        self,
        path: str,
        interval: Lengths = "15min",
        recorded: str | None = None,
        rotate: str | float = "5min",
        keep: Keep = None,
        live_source: bool | None = None,
        run: RunContext | None = None,
    ) -> None:
        self._recorder = Recorder(
            run, live=bool(live_source), recorded=recorded, interval=interval, revise=False
        )
        self._rotate = options.duration("rotate", rotate)
        folder = options.path("path", path)
        self._dataset = Dataset(str(folder), keep)
        check_folder(folder)
        self._spool = _open_waiting(folder, run)
        self._recovered = self._closed = self._failed = False
        self._next = 0.0  # when the next files are due, monotonic, s
        if run is not None and folder.resolve().is_relative_to(run.directory.resolve()):
            self._dataset.delete_other_runs(run.id)  # of an earlier run in the same folder
            self._spool.remove(LAST)

    def resume_from(self, job: RunJournal) -> None:
        """See Resumable: the files of the interrupted run are deleted."""
        self._dataset.resume_from(job)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: events are written with their frame."""
        self._recorder.emit(events)

    def write(self, result: Result) -> None:
        """Keep the rows that are known now, and write files if they are due."""
        self._put(self._recorder.update(result))

    @property
    def outputs(self) -> list[str]:
        """The folder."""
        return [str(self._dataset.root)]

    def close(self) -> None:
        """Write the rows that are left; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._failed:
                self._put(self._recorder.finish())
                self._write_waiting()
        finally:
            self._spool.close()

    def _put(self, rows: Sequence[Row]) -> None:
        self._failed = True  # until this succeeds: closing does not retry
        if not self._recovered:
            self._write_waiting()  # what an earlier run left
            self._recovered = True
        items = [Waiting(self._recorder.began, r) for r in rows if r.table in DATASET_TABLES]
        now = time.monotonic()
        if items:
            if not len(self._spool):
                self._next = now + self._rotate
            self._spool.append([msgspec.msgpack.encode(item) for item in items])
        if len(self._spool) >= MAX_ROWS or (len(self._spool) and now >= self._next):
            self._write_waiting()
        self._failed = False

    def _write_waiting(self) -> None:
        """Write the rows that wait as files, and forget them.

        Being killed in between is harmless: the files would be replaced by the same ones.
        """
        while len(self._spool):
            items = self._spool.first(MAX_ROWS)
            found = [DECODER.decode(item.content) for item in items]
            runs = dict.fromkeys(item.row.values["run"] for item in found)
            for run in runs:
                if run == self._recorder.run and not self._recovered:
                    continue  # it is resumed, and has these rows again
                own = [item for item in found if item.row.values["run"] == run]
                rows = [item.row for item in own]
                self._dataset.write(rows, own[0].began, items[0].number)
            self._spool.remove(items[-1].number)
        self._dataset.prune()


def _open_waiting(folder: Path, run: RunContext | None) -> Spool:
    name = run.stream if run is not None else "stream"
    try:
        return Spool(folder / WAITING / f"{name}.sqlite", MAX_WAITING)
    except ConfigError:
        raise ConfigError(
            f"path={str(folder)!r}: another run of this stream writes to it: choose another path"
        ) from None
