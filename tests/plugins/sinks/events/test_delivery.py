import logging
import subprocess
import sys
import threading
import time

import pytest

from vidan.errors import SinkError
from vidan.events import CROSSED, Event, Measure
from vidan_plugins.sinks.events import delivery as module
from vidan_plugins.sinks.events.delivery import Delivery, DeliveryError, open_spool
from vidan_plugins.sinks.events.message import Messages
from vidan_plugins.sinks.events.spool import Spool


class Receiver:
    """Records what it acknowledged, and fails or waits as it is told."""

    def __init__(self, *failures):
        self.failures = list(failures)  # of the next calls; None: succeed
        self.taken, self.connections, self.closed = [], 0, 0
        self.reachable = threading.Event()
        self.reachable.set()
        self.rejects = 0

    def connect(self):
        self.connections += 1

    def deliver(self, messages):
        self.reachable.wait(10)
        if messages and self.failures and (error := self.failures.pop(0)) is not None:
            raise error
        self.taken += [message.number for message in messages]
        return min(self.rejects, len(messages))

    def close(self):
        self.closed += 1


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(module, "GRACE_S", 0.1)


@pytest.fixture
def start(tmp_path):
    def make(receiver, limit=1000, **options):
        return Delivery("test", receiver, Spool(tmp_path / "s.sqlite", limit), **options)

    return make


def messages(count, of=None):
    events = [Event(f"a/b/{n}", CROSSED, "point", "a", "b", 0.1 * n, n) for n in range(count)]
    return (of or Messages(None)).of(events)


def eventually(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def dropped(delivery, reason):
    return delivery.measures()[
        Measure("events_dropped_total", (("sink", "test"), ("reason", reason)))
    ]


def test_messages_arrive_in_order_and_leave_the_disk(start, tmp_path):
    receiver = Receiver()
    delivery, of = start(receiver, batch=4), Messages(None)
    for _ in range(3):
        delivery.put(messages(5, of))
    delivery.close()
    assert receiver.taken == list(range(1, 16))
    assert (receiver.connections, receiver.closed) == (1, 1)
    assert not len(Spool(tmp_path / "s.sqlite", 1))


def test_messages_are_sent_again_until_they_are_acknowledged(start, caplog):
    caplog.set_level(logging.INFO)
    down = DeliveryError("cannot reach 'tcp://me:SECRET@host'")
    receiver = Receiver(None, down, down, None)
    delivery, of = start(receiver, batch=3), Messages(None)
    delivery.put(messages(3, of))
    eventually(lambda: receiver.taken)
    delivery.put(messages(3, of))
    eventually(lambda: len(receiver.taken) == 6)
    delivery.close()
    assert receiver.taken == [1, 2, 3, 4, 5, 6]
    assert receiver.connections == 3
    assert caplog.text.count("cannot reach") == 1
    assert "SECRET" not in caplog.text
    assert "delivering again" in caplog.text


def test_a_slow_receiver_does_not_delay_the_sink(start):
    receiver = Receiver()
    receiver.reachable.clear()
    delivery = start(receiver)
    started = time.monotonic()
    for _ in range(50):
        delivery.put(messages(1))
    assert time.monotonic() - started < 5
    assert not receiver.taken
    receiver.reachable.set()
    delivery.close()
    assert len(receiver.taken) == 50


def test_what_a_run_cannot_deliver_is_delivered_by_the_next(start, caplog):
    away = Receiver(*[DeliveryError("down")] * 100)
    delivery, of = start(away), Messages(None)
    delivery.put(messages(3, of))
    delivery.close()
    delivery.close()
    assert "3 events wait in" in caplog.text
    back = Receiver()
    delivery = start(back)
    delivery.put(messages(1, of))
    delivery.close()
    assert back.taken == [1, 2, 3, 4]


def test_the_end_waits_for_a_receiver_that_does_not_return_only_for_a_while(start, caplog):
    receiver = Receiver()
    receiver.reachable.clear()
    delivery = start(receiver, drain=0.05)
    delivery.put(messages(2))
    time.sleep(0.05)
    started = time.monotonic()
    delivery.close()
    assert time.monotonic() - started < 5
    assert "2 events wait in" in caplog.text
    receiver.reachable.set()


def test_the_end_tries_a_receiver_that_was_down_once_more(start, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 60.0)
    receiver = Receiver(DeliveryError("down"))
    delivery = start(receiver)
    delivery.put(messages(2))
    eventually(lambda: not receiver.failures)
    delivery.close()
    assert receiver.taken == [1, 2]


def test_an_error_for_good_ends_the_sink_once_and_keeps_the_messages(start, tmp_path):
    receiver = Receiver(SinkError("wrong password for tcp://me:SECRET@host"))
    delivery = start(receiver)
    delivery.put(messages(2))
    eventually(lambda: receiver.closed)
    with pytest.raises(SinkError, match="wrong password") as caught:
        delivery.put(messages(1))
    assert "SECRET" not in str(caught.value)
    delivery.close()
    assert len(Spool(tmp_path / "s.sqlite", 10)) == 2


def test_an_error_that_no_call_has_raised_is_raised_by_close(start):
    delivery = start(Receiver(SinkError("wrong password")))
    delivery.put(messages(2))
    with pytest.raises(SinkError, match="wrong password"):
        delivery.close()


def test_an_error_in_the_receiver_itself_is_passed_on(start):
    delivery = start(Receiver(ZeroDivisionError("bug")))
    delivery.put(messages(2))
    with pytest.raises(ZeroDivisionError):
        delivery.close()


def test_dropped_events_are_counted_and_reported(start, caplog):
    receiver = Receiver()
    receiver.reachable.clear()
    delivery = start(receiver, limit=10)
    for _ in range(4):
        delivery.put(messages(5))
    assert dropped(delivery, "overflow") == 10
    assert caplog.text.count("dropped") == 1
    receiver.rejects = 2
    receiver.reachable.set()
    delivery.close()
    assert dropped(delivery, "rejected") >= 2
    assert "dropped 5 events: the spool is full" in caplog.text
    assert "events: the receiver refuses them" in caplog.text


def test_what_another_version_stored_is_dropped_and_counted(start, tmp_path):
    spool = Spool(tmp_path / "s.sqlite", 10)
    spool.append([b"\x81\xa1x\x01", b"\xc1"])
    spool.close()
    receiver = Receiver()
    delivery = start(receiver)
    delivery.put(messages(1))
    delivery.close()
    assert receiver.taken == [1]
    assert dropped(delivery, "unreadable") == 2


def test_the_file_is_that_of_the_stream_unless_it_is_named(here):
    spool = open_spool("test", None, 5, None)
    assert str(spool.path) == "runs/spool/stream-test.sqlite"
    spool.close()
    spool = open_spool("test", "x.sqlite", 5, None)
    assert str(spool.path) == "x.sqlite"
    spool.close()


def test_nothing_is_lost_when_the_process_is_killed(tmp_path, start):
    code = """if True:
        import os, signal
        from pathlib import Path
        from tests.plugins.sinks.events.test_delivery import *
        receiver = Receiver(None, *[DeliveryError("down")] * 100)
        delivery = Delivery("test", receiver, Spool(Path(sys.argv[1]), 100), batch=2)
        of = Messages(None)
        delivery.put(messages(2, of))
        eventually(lambda: len(receiver.taken) == 2)
        delivery.put(messages(5, of))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.sqlite")], check=False)
    receiver = Receiver()
    start(receiver).close()
    assert set(receiver.taken) >= {3, 4, 5, 6, 7}
    assert receiver.taken == sorted(receiver.taken)
