"""What an error of a database means: one clear line without a password."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import URL, exc

from vidan.errors import SinkError
from vidan.support.secrets import HIDDEN, redacted
from vidan.support.text import one_line

from ...errors import write_error
from ...events.delivery import DeliveryError

NO_RIGHT = "42501"
READ_ONLY = "25006"
"""Codes of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html."""

HOST = ("resolve|Name or service|not known", "check the host")

REFUSALS = (
    ("password|authentication|not permitted to log in", "check user and password"),
    ('role ".*" does not exist', "check the user"),
    ('database ".*" does not exist', "create it, or check its name"),
    ("permission denied for database", "GRANT CONNECT on it"),
    ("pg_hba.conf|SSL|certificate", "check how the server lets clients in"),
)
"""Messages of a connection that will be refused each time, and what to do."""


def is_about_rows(error: exc.DBAPIError) -> bool:
    """Whether a database refuses the values, which it would do each time."""
    return isinstance(error, exc.DataError | exc.IntegrityError)


def explained(
    error: exc.SQLAlchemyError, url: URL, *, reached: bool = True, reading: bool = False
) -> SinkError | DeliveryError:
    """The error to raise: a DeliveryError if another attempt may succeed.

    Args:
        error: of the database or its driver.
        url: of the database.
        reached: whether its host has been reached before, and is known.
        reading: whether nothing was to be written.
    """
    if url.get_backend_name() == "sqlite":
        return _of_sqlite(error, url, reading=reading)
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlstate", None)
    what = _message(original, url)
    place = f"database {url.database!r} on {url.host or 'this machine'}"
    if code is None and isinstance(error, exc.OperationalError):
        return _of_connection(place, what, REFUSALS if reached else (*REFUSALS, HOST))
    if code == NO_RIGHT:
        return SinkError(f"{place}: {what}: GRANT the right, or connect as another user")
    if code == READ_ONLY:
        return SinkError(f"{place}: {what}: connect to the primary server")
    if isinstance(error, exc.OperationalError | exc.InternalError):
        return DeliveryError(f"{place}: {what}")
    return SinkError(f"{place}: {what}")


def _of_connection(
    place: str, what: str, refusals: Iterable[tuple[str, str]]
) -> SinkError | DeliveryError:
    """Of a connection that could not be made or was lost."""
    for pattern, advice in refusals:
        if re.search(pattern, what):
            return SinkError(f"cannot connect to {place}: {what}; {advice}")
    return DeliveryError(f"cannot connect to {place}: {what}")


def _of_sqlite(error: exc.SQLAlchemyError, url: URL, *, reading: bool) -> SinkError:
    path = Path(str(url.database))
    original = getattr(error, "orig", None) or error
    what = str(original)
    if "not a database" in what:
        return SinkError(f"{str(path)!r} is not a SQLite database: choose another path")
    if path.is_dir():
        return SinkError(f"{str(path)!r} is a folder: choose another path")
    return (
        SinkError(f"cannot read {str(path)!r}: {what}") if reading else write_error(path, original)
    )


def _message(error: BaseException, url: URL) -> str:
    """The first line of a message that tells something, without the password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [repr(error)]
    first = lines[0].rpartition(" failed: ")[2] if " failed: " in lines[0] else lines[0]
    shown = redacted(one_line(first))
    return shown.replace(url.password, HIDDEN) if url.password else shown
