import os

import pytest

from vidan.support.stderr import quiet_stderr


def test_holds_back_what_is_written(capfd):
    with quiet_stderr():
        os.write(2, b"noise\n")
    os.write(2, b"speech\n")
    assert capfd.readouterr().err == "speech\n"


def fail_loudly():
    with quiet_stderr():
        os.write(2, b"what went wrong\n")
        raise ImportError("no library")


def test_shows_it_after_all_where_something_failed(capfd):
    with pytest.raises(ImportError, match="no library"):
        fail_loudly()
    assert capfd.readouterr().err == "what went wrong\n"
