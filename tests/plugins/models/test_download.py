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


def test_whole_and_verified(server, path):
    told = []
    download(server.url, path, len(CONTENT), server.sha256, lambda *now: told.append(now))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert told == sorted(told)
    assert len(told) > 2
    assert [p.name for p in path.parent.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_what_broke_off_goes_on_where_it_was(server, path, size):
    server.breaks_after = 300_000
    with pytest.raises(ModelError, match="broken off after 300000 of 1024000 bytes: try again"):
        download(server.url, path, size, server.sha256)
    assert not path.exists()
    download(server.url, path, size, server.sha256)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_server_that_knows_no_ranges_sends_all_again(server, path):
    server.ranges, server.breaks_after = False, 300_000
    with pytest.raises(ModelError, match="broken off"):
        download(server.url, path, len(CONTENT), server.sha256)
    download(server.url, path, len(CONTENT), server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_whole_already_is_only_verified(server, path):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT)
    download(server.url, path, len(CONTENT), server.sha256)
    assert (path.read_bytes(), server.asked) == (CONTENT, [])


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_a_part_that_is_too_long_is_begun_anew(server, path, size):
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(CONTENT + b"more")
    download(server.url, path, size, server.sha256)
    assert path.read_bytes() == CONTENT


def test_a_wrong_file_is_not_kept(server, path):
    server.content = CONTENT[:-1] + b"x"
    with pytest.raises(ModelError, match=f"{server.sha256} is expected: it was changed or"):
        download(server.url, path, len(CONTENT), server.sha256)
    assert list(path.parent.iterdir()) == []


def test_another_size_is_not_even_downloaded(server, path):
    server.content = CONTENT[:1000]
    with pytest.raises(ModelError, match="it has 1000 bytes, 1024000 are expected"):
        download(server.url, path, len(CONTENT), server.sha256)
    assert list(path.parent.iterdir()) == []


def test_what_cannot_be_verified_is_said_and_never_pieced_together(server, path, caplog):
    caplog.set_level(logging.WARNING)
    path.parent.mkdir()
    path.with_name("model.onnx.part").write_bytes(b"of another version")
    download(server.url, path)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert "it cannot be verified" in caplog.text
    assert server.sha256 in caplog.text


def test_no_space_left(server, path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=500_000))
    with pytest.raises(ModelError, match=r"cannot write .*: no space left: 1 MB needed, 0 MB"):
        download(server.url, path, len(CONTENT), server.sha256)
    assert not path.exists()


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot write"):
        download(server.url, tmp_path / "file" / "model.onnx", len(CONTENT), server.sha256)


def test_an_address_with_nothing(server, path):
    with pytest.raises(ModelError, match="the server says 404"):
        download(server.url.replace("model", "other"), path, 9, server.sha256)


def test_nobody_there(path):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/model.onnx"
        with pytest.raises(ModelError, match="try again") as caught:
            download(url, path, 9, "0" * 64)
    assert "\n" not in str(caught.value)
