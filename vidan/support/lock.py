"""A lock between processes that write the same file."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

WAIT_S = 0.1
"""How long a lock is waited for: another process may only be testing it, s."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, which the system releases even if the process is killed.

    Args:
        path: of the lock file, which stays there.

    Raises:
        BlockingIOError: another process, or another call, holds it, or has deleted the file.
    """
    with path.open("ab") as file:
        last = time.monotonic() + WAIT_S
        while not _acquired(file):
            if time.monotonic() > last:
                raise BlockingIOError(f"{path} is in use")
            time.sleep(WAIT_S / 20)
        if not _is_at(path, file):
            raise BlockingIOError(f"{path} has been deleted")
        yield


def _acquired(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in TAKEN  # otherwise the file system has no locks
    return True


def _is_at(path: Path, file: IO[bytes]) -> bool:
    """Whether an open file has not been deleted, which Windows does not allow."""
    if sys.platform == "win32":
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
