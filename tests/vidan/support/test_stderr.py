import os

import pytest

from vidan.support.stderr import quiet_stderr


def test_output_is_held_back(capfd):
    with quiet_stderr():
        os.write(2, b"noise\n")
    os.write(2, b"message\n")
    assert capfd.readouterr().err == "message\n"


def fail_with_output():
    with quiet_stderr():
        os.write(2, b"reason\n")
        raise ImportError("no library")


def test_output_is_shown_after_an_error(capfd):
    with pytest.raises(ImportError, match="no library"):
        fail_with_output()
    assert capfd.readouterr().err == "reason\n"
