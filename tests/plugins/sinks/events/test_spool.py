import sqlite3
import subprocess
import sys
import threading

import pytest

from vidan.errors import ConfigError, SinkError
from vidan_plugins.sinks.events.spool import Spool


def items(*numbers):
    return [b"%d" % number for number in numbers]


def contents(spool, count=100):
    return [stored.content for stored in spool.first(count)]


def test_items_come_in_order_and_stay_until_they_are_removed(tmp_path):
    spool = Spool(tmp_path / "deep/s.sqlite", 10)
    assert spool.append(items(1, 2, 3)) == 0
    assert contents(spool, 2) == items(1, 2)
    assert len(spool) == 3
    spool.remove(spool.first(2)[-1].number)
    assert contents(spool) == items(3)
    spool.close()
    again = Spool(tmp_path / "deep/s.sqlite", 10)
    assert contents(again) == items(3)
    again.close()


def test_the_oldest_items_are_dropped_when_it_is_full(tmp_path):
    spool = Spool(tmp_path / "s.sqlite", 3)
    assert spool.append(items(1, 2)) == 0
    assert spool.append(items(3, 4)) == 1
    assert contents(spool) == items(2, 3, 4)
    assert spool.append(items(5, 6, 7, 8, 9)) == 5
    assert contents(spool) == items(7, 8, 9)
    spool.close()


def test_an_item_that_came_after_others_were_dropped_is_not_removed_with_them(tmp_path):
    spool = Spool(tmp_path / "s.sqlite", 1)
    spool.append(items(1))
    sent = spool.first(1)[0].number
    spool.append(items(2))
    spool.remove(sent)
    assert contents(spool) == items(2)
    spool.close()


def test_a_killed_process_leaves_what_it_appended(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from vidan_plugins.sinks.events.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1]), 100); spool.append([b'a']); spool.append([b'b'])\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s.sqlite")], check=False)
    spool = Spool(tmp_path / "s.sqlite", 100)
    assert contents(spool) == [b"a", b"b"]
    spool.close()


def test_only_one_run_uses_it_and_another_thread_may_close_it(tmp_path):
    spool = Spool(tmp_path / "s.sqlite", 5)
    with pytest.raises(
        ConfigError, match=r"^spool='.*s\.sqlite': another run or sink uses it: set spool="
    ):
        Spool(tmp_path / "s.sqlite", 5)
    thread = threading.Thread(target=spool.close)
    thread.start()
    thread.join()
    spool.close()
    Spool(tmp_path / "s.sqlite", 5).close()


def test_a_damaged_file_is_kept_and_replaced(tmp_path, caplog):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"no database" * 100)
    spool = Spool(path, 5)
    spool.append(items(1))
    assert contents(spool) == items(1)
    spool.close()
    assert (tmp_path / "s.sqlite.damaged").read_bytes() == b"no database" * 100
    assert "s.sqlite is damaged: kept as" in caplog.text


def test_a_full_disk_is_one_line_and_adds_nothing(tmp_path):
    path = tmp_path / "s.sqlite"
    spool = Spool(path, 1000)
    spool.append(items(1))
    spool._connection.execute("PRAGMA max_page_count = 4")  # SQLite's own simulation of a full disk
    with pytest.raises(SinkError, match=r"s\.sqlite': database or disk is full; free disk space"):
        spool.append([b"x" * 100_000, b"y"])
    assert contents(spool) == items(1)
    assert len(spool) == 1
    spool.close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot write"):
        Spool(tmp_path / "file/s.sqlite", 5)


def test_a_file_that_is_no_file_does_not_stay_locked(tmp_path):
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(SinkError, match="unable to open"):
        Spool(tmp_path / "s.sqlite", 5)
    (tmp_path / "s.sqlite").rmdir()
    Spool(tmp_path / "s.sqlite", 5).close()
    assert sqlite3.connect(tmp_path / "s.sqlite").execute("SELECT * FROM waiting") is not None
