import signal
import subprocess
import sys
import threading
import time

import pytest

from vidan.support.stuck import DaemonThread, within

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


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGALRM on Windows")
def test_a_thread_runs_on_when_a_signal_interrupts_the_wait_for_it():
    def interrupt(*_):
        raise InterruptedError

    end = threading.Event()
    thread = DaemonThread(end.wait, "endless")
    assert not thread.is_alive()
    thread.start()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptedError):
            thread.join(10)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert thread.is_alive()
    end.set()
    thread.join(10)
    assert not thread.is_alive()
