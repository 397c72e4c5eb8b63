"""Errors that several sinks raise."""

from __future__ import annotations

from pathlib import Path

from vidan.errors import SinkError


def reason(error: Exception) -> str:
    """The message of the system or of FFmpeg, without error number and path."""
    return getattr(error, "strerror", None) or str(error)


def write_error(path: Path | str, error: Exception, advice: str | None = None) -> SinkError:
    """The error to raise for a file that cannot be written."""
    advice = advice or "free disk space or choose another path"
    return SinkError(f"cannot write {str(path)!r}: {reason(error)}; {advice}")
