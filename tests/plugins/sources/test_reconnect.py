import threading
from itertools import islice

import numpy as np
import pytest

from vidan.errors import ConfigError, SourceError
from vidan.frames import ArrayFrame
from vidan_plugins.sources.reconnect import Retry, Session

IMAGE = np.zeros((2, 2, 3), np.uint8)

QUICK_RETRY = Retry(None, 0.001, 0.001)


def frame(index):
    return ArrayFrame(IMAGE, index=index, time=index / 10, captured=50 + index / 10, stream="cam")


class FakeConnection:
    """Returns prepared frames, or raises prepared errors; None is the end."""

    def __init__(self, *results):
        self.results = list(results)
        self.closed = False

    def read(self):
        result = self.results.pop(0)
        if isinstance(result, SourceError):
            raise result
        return result

    def close(self):
        self.closed = True


class Connector:
    """Opens prepared connections one after another; an error stands for a failed attempt."""

    def __init__(self, *connections):
        self.connections = list(connections)

    def __call__(self):
        connection = self.connections.pop(0)
        if isinstance(connection, SourceError):
            raise connection
        return connection


LOST = SourceError("lost")


def test_waits_double_up_to_the_longest_and_half_of_each_is_random():
    waits = list(islice(Retry(None, 1.0, 5.0).waits(), 6))
    for wait, longest in zip(waits, [1, 2, 4, 5, 5, 5], strict=True):
        assert longest / 2 <= wait <= longest


def test_the_number_of_attempts_is_limited():
    assert len(list(Retry(3, 1.0, 1.0).waits())) == 3
    assert list(Retry(0, 1.0, 1.0).waits()) == []


def test_missing_keys_of_the_option_have_their_defaults():
    retry = Retry.from_option({"max": 2})
    assert retry.max == 2
    assert 0.25 <= next(retry.waits()) <= 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max": -1}, r"^retry\.max=-1: expected"),
        ({"first": 0}, r"^retry\.first=0: expected"),
        ({"first": 5.0, "longest": 1.0}, r"^retry\.longest=1\.0: expected a number of at least 5"),
        ({"start": "yes"}, r"^retry\.start='yes': expected"),
        ({"longst": 1.0}, r"^retry: no key 'longst': .*longest"),
    ],
)
def test_bad_values_of_the_option_are_named(values, message):
    with pytest.raises(ConfigError, match=message):
        Retry.from_option(values)


def test_a_lost_connection_is_reopened_until_there_is_a_frame(warnings):
    first, silent = FakeConnection(frame(0), LOST), FakeConnection(LOST)
    last = FakeConnection(frame(30), None)
    connect = Connector(first, SourceError("refused"), silent, last)
    session = Session("cam", connect, threading.Event(), QUICK_RETRY)
    assert [f.index for f in session] == [0, 30]
    assert first.closed
    assert silent.closed
    assert last.closed
    (outage,) = session.outages
    assert (outage.attempts, outage.time, outage.reason) == (3, 0.0, "lost")
    assert outage.length == pytest.approx(3.0)
    assert warnings() == ["lost cam: lost; trying again", "cam is back after 3.0 s, attempts: 3"]


def test_it_gives_up_after_the_last_attempt():
    refused = SourceError("refused")
    connect = Connector(FakeConnection(frame(0), LOST), refused, refused)
    session = Session("cam", connect, threading.Event(), Retry(2, 0.001, 0.001))
    with pytest.raises(SourceError, match=r"^gave up after 2 attempts: refused$"):
        list(session)
    (outage,) = session.outages
    assert (outage.attempts, outage.length) == (2, None)


def test_without_retry_a_loss_ends_the_stream():
    session = Session("cam", Connector(FakeConnection(frame(0), LOST)), threading.Event())
    frames = iter(session)
    next(frames)
    with pytest.raises(SourceError, match=r"^lost$"):
        next(frames)
    assert session.outages.count == 0


def test_a_failed_first_attempt_is_an_error():
    with pytest.raises(SourceError, match="refused"):
        Session("cam", Connector(SourceError("refused")), threading.Event(), QUICK_RETRY)


def test_closing_ends_the_iteration():
    connection = FakeConnection(frame(0), frame(1))
    session = Session("cam", Connector(connection), threading.Event())
    frames = iter(session)
    next(frames)
    session.close()
    session.close()
    assert list(frames) == []
    assert connection.closed
    assert session.connection is None


def test_a_source_that_is_not_there_at_the_start_is_an_error():
    with pytest.raises(SourceError, match="lost"):
        Session("cam", Connector(LOST), threading.Event(), QUICK_RETRY)


def test_a_source_that_is_not_there_at_the_start_is_waited_for(caplog):
    connect = Connector(LOST, LOST, FakeConnection(frame(0), None))
    session = Session("cam", connect, threading.Event(), Retry(None, 0.001, 0.001, start=True))
    assert [each.index for each in session] == [0]
    (outage,) = session.outages
    assert (outage.attempts, outage.reason, outage.time) == (2, "lost", 0.0)
    assert "cannot open cam: lost; trying again" in caplog.text


def test_waiting_for_a_source_at_the_start_ends_after_the_last_attempt():
    retry = Retry(2, 0.001, 0.001, start=True)
    session = Session("cam", Connector(LOST, LOST, LOST, LOST), threading.Event(), retry)
    with pytest.raises(SourceError, match="gave up after 2 attempts: lost"):
        list(session)
