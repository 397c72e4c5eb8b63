"""The address of a database."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, exc, make_url

from vidan import options
from vidan.errors import ConfigError

EXPECTED = "expected postgresql://user@host/database, or sqlite:///file"


def file_url(path: str | Path) -> URL:
    """The address of a SQLite file."""
    return URL.create("sqlite", database=str(options.path("path", path)))


def database_url(url: str) -> URL:
    """The address of a database on a server, or of a SQLite file.

    Raises:
        ConfigError: it is none of a database that vidan knows, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigError(f"url: {EXPECTED}") from None  # the value may hold a password
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database:
        return file_url(parsed.database)
    if backend not in ("postgresql", "postgres") or not parsed.database:
        raise ConfigError(f"url: {EXPECTED}, got {parsed.render_as_string(hide_password=True)!r}")
    if find_spec("psycopg") is None:
        raise ConfigError("url: psycopg is not installed: pip install 'vidan[postgresql]'")
    return parsed.set(drivername="postgresql+psycopg")
