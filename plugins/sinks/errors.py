"""Errors that several sinks raise."""

from __future__ import annotations

import errno
import math
from pathlib import Path

from vidan.errors import SinkError
from vidan.types import Frame


def reason(error: Exception) -> str:
    """The message of the system or of FFmpeg, without error number and path."""
    return getattr(error, "strerror", None) or str(error)


def write_error(path: Path | str, error: Exception, advice: str | None = None) -> SinkError:
    """The error to raise for a file that cannot be written."""
    is_misuse = getattr(error, "errno", None) == errno.EINVAL  # no fault of the disk
    default = "choose another path" if is_misuse else "free disk space or choose another path"
    advice = advice or default
    return SinkError(f"cannot write {str(path)!r}: {reason(error)}; {advice}")


def check_time(frame: Frame) -> None:
    """Check that a frame has a time, as videos require.

    Raises:
        SinkError: it is infinite or NaN.
    """
    if not math.isfinite(frame.time):
        raise SinkError(f"{frame!r} has no finite time")
