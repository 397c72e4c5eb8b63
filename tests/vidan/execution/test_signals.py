import signal
import subprocess
import sys
import threading
import time

import pytest

from vidan.execution.signals import forwarded_signals

THREE = """
import signal, time
from vidan.execution.signals import forwarded_signals
with forwarded_signals() as signals:
    signals.interrupt = lambda number: print(number, flush=True)
    for _ in range(3):
        signal.raise_signal(signal.{name})
    time.sleep(60)
print("not reached", flush=True)
"""

NATIVE = """
import ctypes, sys
from vidan.execution.signals import forwarded_signals
with forwarded_signals():
    mutex, lock = ctypes.create_string_buffer(128), ctypes.CDLL(None).pthread_mutex_lock
    lock(mutex)
    print("started", flush=True)
    lock(mutex)  # never returns, and signals do not interrupt it
print("not reached", flush=True)
"""


def test_signals_are_forwarded_and_handlers_restored():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    received = []
    with forwarded_signals() as signals:
        signals.interrupt = received.append
        signal.raise_signal(signal.SIGTERM)
    assert received == [signal.SIGTERM]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(wakeup) == wakeup


def test_before_a_run_a_signal_ends_the_program_as_usual():
    with pytest.raises(KeyboardInterrupt), forwarded_signals():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(SystemExit, match="143"), forwarded_signals():
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_the_third_signal_ends_the_process_at_once(name, code):
    done = subprocess.run(
        [sys.executable, "-c", THREE.format(name=name)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == code
    assert set(done.stdout.splitlines()) <= {str(int(getattr(signal, name)))}


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mutex of glibc")
def test_the_second_signal_ends_a_process_in_native_code():
    process = subprocess.Popen([sys.executable, "-c", NATIVE], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
    rest, _ = process.communicate(timeout=30)
    assert (process.returncode, rest) == (143, "")


def test_other_threads_leave_the_handlers_alone():
    handlers = []

    def run():
        with forwarded_signals():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert handlers == [before]
