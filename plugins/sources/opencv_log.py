"""Silencing OpenCV's log, which goes to stderr; the sources report errors themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import cv2.utils.logging

_lock = threading.Lock()
_level = 0
_users = 0


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Silence OpenCV's log. Reentrant and thread-safe: the last to leave restores the level."""
    global _level, _users
    with _lock:
        if not _users:
            _level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                cv2.utils.logging.setLogLevel(_level)
