"""Downloads from a server that breaks off, changes files or is not there."""

import hashlib
import logging
import shutil
import socket
from types import SimpleNamespace

import pytest

from vidan.errors import ModelError
from vidan.support.lock import locked
from vidan_plugins.models import download as module
from vidan_plugins.models.download import Checksum, download

from ..conftest import CONTENT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "model.onnx"


def test_a_file_is_downloaded_and_verified(server, path):
    calls = []
    download(server.url, path, len(CONTENT), server.checksum, lambda *now: calls.append(now))
    assert path.read_bytes() == CONTENT
    assert calls[-1] == (len(CONTENT), len(CONTENT))
    assert calls == sorted(calls)
    assert len(calls) > 2
    assert sorted(p.name for p in path.parent.iterdir()) == ["model.onnx", "model.onnx.lock"]


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_an_interrupted_download_resumes(server, path, size):
    server.breaks_after = 300_000
    with pytest.raises(ModelError, match="interrupted after 300000 of 1024000 bytes: try again"):
        download(server.url, path, size, server.checksum)
    assert not path.exists()
    download(server.url, path, size, server.checksum)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_sends_everything_again(server, path):
    server.ranges, server.breaks_after = False, 300_000
    with pytest.raises(ModelError, match="interrupted"):
        download(server.url, path, len(CONTENT), server.checksum)
    download(server.url, path, len(CONTENT), server.checksum)
    assert path.read_bytes() == CONTENT


def test_a_complete_part_is_only_verified(server, path):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT)
    download(server.url, path, len(CONTENT), server.checksum)
    assert (path.read_bytes(), server.asked) == (CONTENT, [])


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_part_that_is_too_long_is_downloaded_again(server, path, size):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT + b"more")
    download(server.url, path, size, server.checksum)
    assert path.read_bytes() == CONTENT


def test_a_wrong_file_is_not_kept(server, path):
    server.content = CONTENT[:-1] + b"x"
    with pytest.raises(ModelError, match=f"expected {server.sha256}: it was modified or"):
        download(server.url, path, len(CONTENT), server.checksum)
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx.lock"]


def test_a_file_of_another_size_is_not_downloaded(server, path):
    server.content = CONTENT[:1000]
    with pytest.raises(ModelError, match="it has changed: 1000 bytes, expected 1024000"):
        download(server.url, path, len(CONTENT), server.checksum)
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx.lock"]


def test_without_a_checksum_it_warns_and_never_resumes(server, path, caplog):
    caplog.set_level(logging.WARNING)
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(b"of another version")
    download(server.url, path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert "cannot be verified" in caplog.text
    assert server.sha256 in caplog.text


def test_no_space_left(server, path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000))
    with pytest.raises(ModelError, match=r"cannot write .*: no space left: 1 MB needed, 0 MB"):
        download(server.url, path, len(CONTENT), server.checksum)
    assert not path.exists()


def test_a_folder_that_cannot_be_created(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot write"):
        download(server.url, tmp_path / "file" / "model.onnx", len(CONTENT), server.checksum)


def test_a_missing_file_on_the_server(server, path):
    with pytest.raises(ModelError, match="the server answered 404"):
        download(server.url.replace("model", "other"), path, 9, server.checksum)


def test_no_server(path):
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/model.onnx"
        with pytest.raises(ModelError, match="try again") as caught:
            download(url, path, 9, Checksum("sha256", "0" * 64))
    assert "\n" not in str(caught.value)


def test_sha384(server, path):
    checksum = Checksum("sha384", hashlib.sha384(CONTENT).hexdigest())
    download(server.url, path, len(CONTENT), checksum)
    assert path.read_bytes() == CONTENT
    path.unlink()
    with pytest.raises(ModelError, match="has the SHA-384 "):
        download(server.url, path, len(CONTENT), Checksum("sha384", "0" * 96))


def test_a_server_that_tells_no_length(server, path):
    server.tells_length = False
    download(server.url, path, len(CONTENT), server.checksum)
    assert path.read_bytes() == CONTENT


def test_a_server_that_tells_no_length_and_disconnects(server, path):
    server.tells_length, server.breaks_after = False, 300_000
    with pytest.raises(ModelError, match="interrupted after 300000 of 1024000 bytes"):
        download(server.url, path, len(CONTENT), server.checksum)
    download(server.url, path, len(CONTENT), server.checksum)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_reading_ends_where_the_file_should_end(server, path):
    server.tells_length, server.content = False, CONTENT + bytes(10**7)
    read = []
    with pytest.raises(ModelError, match="it has changed: more than 1024000 bytes") as caught:
        download(server.url, path, len(CONTENT), server.checksum, lambda *now: read.append(now[0]))
    assert read[-1] <= len(CONTENT)
    assert path.with_name("model.onnx.part").stat().st_size == 0
    assert "\n" not in str(caught.value)


def test_a_file_of_unknown_size_has_a_limit(server, path, monkeypatch):
    monkeypatch.setattr(module, "MAX_UNKNOWN_BYTES", 10**6)
    server.tells_length = False
    with pytest.raises(ModelError, match="more than 1000000 bytes"):
        download(server.url, path)


def test_two_processes_do_not_write_one_file(server, path):
    path.parent.mkdir()
    with (
        locked(path.with_name("model.onnx.lock")),
        pytest.raises(ModelError, match="another process is downloading it: try again when"),
    ):
        download(server.url, path, len(CONTENT), server.checksum)
    assert server.asked == []
    download(server.url, path, len(CONTENT), server.checksum)
    download(server.url, path, len(CONTENT), server.checksum)  # as after waiting for another one
    assert len(server.asked) == 1
