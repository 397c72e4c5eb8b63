import signal
import subprocess
import sys
import threading

import pytest

from vidan.execution.signals import forwarded_signals

THREE = """
import signal
from vidan.execution.signals import forwarded_signals
with forwarded_signals(lambda number: print(number, flush=True)):
    for _ in range(4):
        signal.raise_signal(signal.{name})
print("not reached", flush=True)
"""


def test_signals_are_forwarded_and_handlers_restored():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    received = []
    with forwarded_signals(received.append):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    assert received == [signal.SIGINT, signal.SIGTERM]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_the_third_signal_ends_the_process_at_once(name, code):
    done = subprocess.run(
        [sys.executable, "-c", THREE.format(name=name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert done.stdout.splitlines() == [str(int(getattr(signal, name)))] * 2


def test_other_threads_leave_the_handlers_alone():
    handlers = []

    def run():
        with forwarded_signals(lambda _number: None):
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert handlers == [before]
