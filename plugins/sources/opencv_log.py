"""OpenCV writes its own complaints to stderr; what is wrong is said by the sources themselves."""

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
    """Keep OpenCV's log silent meanwhile; from several threads at once, until the last is done."""
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
