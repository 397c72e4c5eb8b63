"""Downloads from a server that breaks off, changes files or is not there."""

import logging
import shutil
import socket
from types import SimpleNamespace

import pytest

from vidan.errors import ModelError
from vidan_plugins.models.download import download

from ..conftest import CONTENT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "model.onnx"


def test_a_file_is_downloaded_and_verified(server, path):
    calls = []
    download(server.url, path, len(CONTENT), server.sha256, lambda *now: calls.append(now))
    assert path.read_bytes() == CONTENT
    assert calls[-1] == (len(CONTENT), len(CONTENT))
    assert calls == sorted(calls)
    assert len(calls) > 2
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_an_interrupted_download_resumes(server, path, size):
    server.breaks_after = 300_000
    with pytest.raises(ModelError, match="interrupted after 300000 of 1024000 bytes: try again"):
        download(server.url, path, size, server.sha256)
    assert not path.exists()
    download(server.url, path, size, server.sha256)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_sends_everything_again(server, path):
    server.ranges, server.breaks_after = False, 300_000
    with pytest.raises(ModelError, match="interrupted"):
        download(server.url, path, len(CONTENT), server.sha256)
    download(server.url, path, len(CONTENT), server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_complete_part_is_only_verified(server, path):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT)
    download(server.url, path, len(CONTENT), server.sha256)
    assert (path.read_bytes(), server.asked) == (CONTENT, [])


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_part_that_is_too_long_is_downloaded_again(server, path, size):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT + b"more")
    download(server.url, path, size, server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_wrong_file_is_not_kept(server, path):
    server.content = CONTENT[:-1] + b"x"
    with pytest.raises(ModelError, match=f"expected {server.sha256}: it was modified or"):
        download(server.url, path, len(CONTENT), server.sha256)
    assert list(path.parent.iterdir()) == []


def test_a_file_of_another_size_is_not_downloaded(server, path):
    server.content = CONTENT[:1000]
    with pytest.raises(ModelError, match="it has changed: 1000 bytes, expected 1024000"):
        download(server.url, path, len(CONTENT), server.sha256)
    assert list(path.parent.iterdir()) == []


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
        download(server.url, path, len(CONTENT), server.sha256)
    assert not path.exists()


def test_a_folder_that_cannot_be_created(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot write"):
        download(server.url, tmp_path / "file" / "model.onnx", len(CONTENT), server.sha256)


def test_a_missing_file_on_the_server(server, path):
    with pytest.raises(ModelError, match="the server answered 404"):
        download(server.url.replace("model", "other"), path, 9, server.sha256)


def test_no_server(path):
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/model.onnx"
        with pytest.raises(ModelError, match="try again") as caught:
            download(url, path, 9, "0" * 64)
    assert "\n" not in str(caught.value)
