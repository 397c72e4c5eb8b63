import subprocess
import sys
import time

import pytest

from vidan.support.stuck import within

STUCK = """
import threading, time
from vidan.support.stuck import leave, within
try:
    within(0.1, lambda: time.sleep(100))
except TimeoutError as error:
    print(error)
leave(7)
"""


def test_a_call_in_time_returns_or_raises():
    assert within(10, lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        within(10, lambda: 1 / 0)


def test_a_process_ends_without_a_call_that_does_not():
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (7, "no result after 0.1 s\n")
    assert time.monotonic() - started < 50
