import signal
from contextlib import suppress
from unittest.mock import Mock

import pytest

from vidan import signals


@pytest.fixture(autouse=True)
def python_s_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_that_a_library_dropped_stops_the_run():
    pipeline = Mock()
    with signals.noted():
        with suppress(KeyboardInterrupt):  # as native modules do, while they are imported
            signal.raise_signal(signal.SIGINT)
        with signals.heeded(pipeline):
            pipeline.interrupt.assert_called_once_with()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_one_a_run_goes_on():
    pipeline = Mock()
    with signals.noted(), signals.heeded(pipeline):
        pipeline.interrupt.assert_not_called()
        signal.raise_signal(signal.SIGTERM)
        pipeline.interrupt.assert_called_once_with(signal.SIGTERM)


def test_ctrl_c_ends_what_is_no_run():
    with pytest.raises(KeyboardInterrupt), signals.noted():
        signal.raise_signal(signal.SIGINT)


def test_a_handler_of_somebody_else_stays():
    mine = Mock()
    signal.signal(signal.SIGINT, mine)
    with signals.noted():
        signal.raise_signal(signal.SIGINT)
    mine.assert_called_once()
    assert signal.getsignal(signal.SIGINT) is mine
