import sys
import threading

import pytest

from vidan.support import lock
from vidan.support.lock import locked


def test_only_one_holds_a_lock(tmp_path):
    path = tmp_path / "lock"
    with locked(path), pytest.raises(BlockingIOError), locked(path):
        pytest.fail("held twice")
    with locked(path):
        assert path.exists()


def test_one_who_only_tests_it_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "WAIT_S", 10.0)
    path, held, done = tmp_path / "lock", threading.Event(), threading.Event()

    def hold():
        with locked(path):
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    threading.Timer(0.05, done.set).start()
    with locked(path):
        pass
    thread.join()


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be deleted")
def test_the_lock_of_a_deleted_file_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    acquired = lock._acquired

    def late(file):
        path.unlink()
        return acquired(file)

    monkeypatch.setattr(lock, "_acquired", late)
    with pytest.raises(BlockingIOError, match="has been deleted"), locked(path):
        pytest.fail("held")
