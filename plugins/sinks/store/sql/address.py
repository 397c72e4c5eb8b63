"""The address of a database."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, exc, make_url

from vidan import options
from vidan.errors import ConfigError
from vidan.support.extras import not_installed
from vidan.support.secrets import HIDDEN

EXPECTED = "expected postgresql://user@host/database, or sqlite:///file"


def file_url(path: str | Path) -> URL:
    """The address of a SQLite file."""
    return URL.create("sqlite", database=str(options.path("path", path)))


def database_url(url: str, password_env: str | None = None) -> URL:
    """The address of a database on a server, or of a SQLite file.

    Args:
        url: the address.
        password_env: environment variable with the password; None if it is in the address, or
            where the driver finds it itself.

    Raises:
        ConfigError: it is none of a database that vidan knows, or the password is missing.
        PluginError: its driver is not installed.
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
        raise not_installed("psycopg", "postgresql", f"url of {backend}")
    if password_env is not None:
        password = options.environment("password_env", password_env, "the password")
        parsed = parsed.set(password=password)
    elif parsed.password == HIDDEN:  # of a run that is resumed
        if not os.environ.get("PGPASSWORD"):
            raise ConfigError("url: its password is not saved: set PGPASSWORD to it")
        parsed = URL.create(
            parsed.drivername,
            parsed.username,
            host=parsed.host,
            port=parsed.port,
            database=parsed.database,
            query=parsed.query,
        )
    return parsed.set(drivername="postgresql+psycopg")
