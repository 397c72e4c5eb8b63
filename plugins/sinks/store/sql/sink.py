"""`sink=sql`: runs, events, tracks and counts in a database."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta
from sqlalchemy import URL

from vidan import options
from vidan.config.build import RunContext
from vidan.events import Event, Measure
from vidan.options import SECRET
from vidan.types import Result

from ...counts.counter import Lengths
from ...deferred import STORE_DELAY_S
from ...errors import write_error
from ...events.delivery import DRAIN_S, SPOOL_SIZE, Delivery, DeliveryError, open_spool
from ..recorder import Recorder
from ..tables import Row
from .address import database_url, file_url
from .database import Database

log = logging.getLogger(__name__)


class Sql:
    """Writes runs, events, tracks and counts into a database: a SQLite file, or PostgreSQL.

    The tables are created, and those of an older version migrated. Each event, and each row of
    counts, is in the database exactly once, also after the process or the server was killed. The
    rows of the run and of present tracks are brought up to date every 10 s.

    A SQLite file is written directly, in one transaction per frame, by the sink's own thread. For a
    server, rows wait in a file, the spool, and are sent in order by another thread; if the server
    is down, they wait until it returns, also for the next run.

    Args:
        path: of the SQLite file, without `url`.
        url: of a database, such as `postgresql://user@host/database`; None for the file.
        password_env: name of the environment variable that has the password; None if it is in the
            URL, in PGPASSWORD or in the file `~/.pgpass`.
        interval: length of the intervals of counts, such as `15min`, or several of them.
        recorded: date and time at which the recording of a file began; None if it is not known.
        spool: file in which rows wait for a server; None for one in `runs/spool` per stream.
        spool_size: rows that wait at most; then the oldest are dropped.
        drain: time that the end of the run waits for the server, s.
        keep: age after which events, tracks and counts of all runs are deleted, such as `30d`,
            where the date is known; None to keep all.
        live_source: whether frames arrive now, as from a camera; given by the run.
        run: given by the run.

    Raises:
        ConfigError: an option has an invalid value.
        SinkError: the database refuses, or its tables cannot be used.
    """

    lossless = True
    write_delay = STORE_DELAY_S

    def __init__(
        self,
        path: str,
        url: Annotated[str, SECRET] | None = None,
        password_env: str | None = None,
        interval: Lengths = "15min",
        recorded: str | None = None,
        spool: str | None = None,
        spool_size: Annotated[int, Meta(ge=1)] = SPOOL_SIZE,
        drain: Annotated[float, Meta(ge=0)] = DRAIN_S,
        keep: str | None = None,
        live_source: bool | None = None,
        run: RunContext | None = None,
    ) -> None:
        self._recorder = Recorder(
            run, live=bool(live_source), recorded=recorded, interval=interval, revise=True
        )
        address = file_url(options.text("path", path))
        if url is not None:
            address = database_url(url, password_env)
        age = math.inf if keep is None else options.measure("keep", keep, options.SECONDS)
        self._database = Database(address, age)
        self._delivery: Delivery[Row] | None = None
        self._file: Path | None = None
        self._closed = self._failed = False
        if address.get_backend_name() == "sqlite":
            self._file = _prepare_file(address)
            self._database.connect()
            if run is not None and self._file.resolve().is_relative_to(run.directory.resolve()):
                self._database.delete_other_runs(run.id)  # of an earlier run in the same folder
            return
        try:
            self._database.connect()
        except DeliveryError as error:
            log.warning("%s; rows wait until it can be reached", error)
        file = open_spool("sql", spool, spool_size, run)
        self._delivery = Delivery("sql", _Server(self._database), file, drain=drain, kind=Row)

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: events are written with their frame."""
        self._recorder.emit(events)

    def write(self, result: Result) -> None:
        """Write the rows that are known now."""
        self._put(self._recorder.update(result))

    def measures(self) -> Mapping[Measure, float]:
        """How many rows wait, and how many were dropped."""
        return {} if self._delivery is None else self._delivery.measures()

    @property
    def outputs(self) -> list[str]:
        """The path of the file, if it is one."""
        return [] if self._file is None else [str(self._file)]

    def close(self) -> None:
        """Write the rows that are left; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if not self._failed:
                self._put(self._recorder.finish())
        finally:
            if self._delivery is None:
                self._database.close()
            else:
                self._delivery.close()

    def _put(self, rows: Sequence[Row]) -> None:
        self._failed = True  # until this succeeds: closing does not retry
        if self._delivery is None:
            self._database.write(rows)
        else:
            self._delivery.put(rows)
        self._failed = False


class _Server:
    """The receiver of rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def connect(self) -> None:
        self._database.connect()

    def deliver(self, rows: Sequence[Row]) -> int:
        return self._database.write(rows)

    def close(self) -> None:
        self._database.close()


def _prepare_file(address: URL) -> Path:
    """Create the folder of a file.

    Raises:
        SinkError: it cannot be created.
    """
    path = Path(str(address.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
    return path
