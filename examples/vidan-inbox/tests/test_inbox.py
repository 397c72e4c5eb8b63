import threading

import cv2
import numpy as np
import pytest
from vidan_inbox.source import Inbox

from vidan import ConfigError, SourceError, create
from vidan.testing import SourceSuite


def put(folder, name, level=100):
    _, data = cv2.imencode(".png", np.full((12, 16, 3), level, np.uint8))
    (folder / name).write_bytes(data.tobytes())


class TestInbox(SourceSuite):
    def make(self, tmp_path):
        for n in range(4):
            put(tmp_path, f"{n}.png", 40 * n)
        return Inbox(str(tmp_path), interval=0.01, timeout=0.0)


def test_images_that_arrive_later(tmp_path):
    put(tmp_path, "a.png", 10)
    inbox = Inbox(str(tmp_path), interval=0.01)
    stream = iter(inbox)
    assert next(stream).rgb()[0, 0, 0] == 10
    threading.Timer(0.05, put, [tmp_path, "b.png", 20]).start()
    frame = next(stream)
    assert (frame.index, frame.filename, frame.rgb()[0, 0, 0]) == (1, "b.png", 20)
    inbox.close()
    assert list(stream) == []


def test_an_image_is_read_when_it_is_complete(tmp_path):
    put(tmp_path, "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:10])
    inbox = Inbox(str(tmp_path))
    assert inbox._ready() == []
    (tmp_path / "a.png").write_bytes(whole)
    assert inbox._ready() == []  # it has grown since the last scan
    assert [file.name for file in inbox._ready()] == ["a.png"]
    assert inbox._ready() == []


def test_a_file_that_is_not_an_image_leaves_a_gap(tmp_path):
    put(tmp_path, "b.png")
    (tmp_path / "a.png").write_bytes(b"not an image")
    (tmp_path / "notes.txt").write_text("for people")
    frames = list(Inbox(str(tmp_path), interval=0.01, timeout=0.0))
    assert [(f.index, f.filename) for f in frames] == [(1, "b.png")]


def test_closing_ends_the_iteration(tmp_path):
    inbox = Inbox(str(tmp_path), interval=60)
    threading.Timer(0.05, inbox.close).start()
    assert list(inbox) == []


def test_bad_options_are_rejected(tmp_path):
    with pytest.raises(SourceError, match="no folder"):
        Inbox(str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="interval"):
        create("source", "inbox", path=str(tmp_path), interval=0)
