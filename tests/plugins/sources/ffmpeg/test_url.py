import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler

import av.error
import pytest

from tests.clips import write_clip
from vidan_plugins.sources.ffmpeg.url import Address


@pytest.mark.parametrize(
    ("url", "shown", "target"),
    [
        ("rtsp://cam/live", "rtsp://cam/live", None),
        ("rtsp://me:secret@cam/live", "rtsp://***@cam/live", None),
        ("rtsp://me:s%23x@cam/live", "rtsp://***@cam/live", None),
        ("rtsp://me:s#x@cam/live", "rtsp://***@cam/live", "rtsp://me:s%23x@cam/live"),
        ("rtsp://me:s/x@cam:9/live", "rtsp://***@cam:9/live", "rtsp://me:s%2Fx@cam:9/live"),
        ("rtsp://me:s?x@cam/live", "rtsp://***@cam/live", "rtsp://me:s%3Fx@cam/live"),
        ("rtsp://me:s@x@cam/live", "rtsp://***@cam/live", "rtsp://me:s%40x@cam/live"),
        ("rtsp://me:50%@cam/live", "rtsp://***@cam/live", "rtsp://me:50%25@cam/live"),
        ("http://cam/v?p=secret&x=1", "http://cam/v?p=***&x=***", None),
        ("rtmp://server/live/secret", "rtmp://server/live/***", None),
    ],
)
def test_secrets_are_hidden_and_reach_the_server(url, shown, target):
    assert repr(Address(url)) == repr(shown)
    assert Address(url).target == (target or url)


def test_what_is_in_the_name_of_a_file_is_no_secret(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b@c?d=e.mp4").touch()
    assert repr(Address("a:b@c?d=e.mp4")) == repr("a:b@c?d=e.mp4")
    assert repr(Address("me:secret@cam/live")) == repr("***@cam/live")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/videos/street.mp4", "street"),
        ("rtsp://me:secret@cam:554/Streaming/Channels/101", "101"),
        ("http://cam/live.m3u8?token=x", "live"),
        ("rtsp://me:secret@cam", "cam"),
        ("rtsp://me:s#x@cam/live", "live"),
        ("rtmp://server/live/secret", "server"),
        ("rtsp://cam/user=admin_password=secret_channel=1.sdp", "cam"),
        ("rtsps://10.0.0.1:7441/AbCd3fGhIjKlMnOp", "10.0.0.1"),
        ("me:secret@cam/live", "live"),
        ("udp://:5000", "stream"),
    ],
)
def test_the_name_is_that_of_the_file_or_else_of_the_host(path, name):
    assert Address(path).name == name


@pytest.mark.parametrize(
    ("path", "local", "live"),
    [
        ("street.mp4", True, False),
        (r"C:\street.mp4", True, False),
        ("http://cam/street.mp4", False, False),
        ("RTSP://cam/live", False, True),
        ("udp://:5000", False, True),
        ("file:street.mp4", True, False),
        ("FILE:///street.mp4", True, False),
    ],
)
def test_the_protocol_determines_what_is_local_and_live(path, local, live):
    address = Address(path)
    assert (address.local, address.live) == (local, live)
    assert local or address.target.startswith(path.partition(":")[0].lower() + ":")


def test_a_protocol_that_pyav_lacks_is_named():
    error = av.error.ProtocolNotFoundError(1, "Protocol not found")
    message = Address("srt://cam:9000?passphrase=SECRET").cannot_open(error)
    assert "'srt://cam:9000?passphrase=***': PyAV was built without srt" in message
    assert "nor a protocol of that name" in Address("foo://cam").cannot_open(error)


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.parametrize("name", ["SECRET23aBcDeFgH.ts", "user=SECRET_password=SECRET.ts"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_run_shows_no_secret_anywhere(serve, tmp_path, name, exists):
    """Results, summary, log and terminal; `.hydra` keeps the command as it was given."""
    if exists:
        write_clip(tmp_path / name)
    host = serve(partial(Files, directory=str(tmp_path)))
    url = f"http://me:SECRET#x@{host}/{name}?p=SECRET&loginpas=SECRET#SECRET"
    command = ["source=file", f"source.path={url}", "tracker=none", "sink=[jsonl]"]
    done = subprocess.run(
        [sys.executable, "-m", "vidan", *command, f"hydra.run.dir={tmp_path}/out"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == (0 if exists else 1), done.stderr
    shown = {"terminal": done.stdout + done.stderr}
    for file in (tmp_path / "out").glob("*.*"):
        if file.is_file():
            shown[file.name] = file.read_text()
    assert ("results.jsonl" in shown) == exists
    assert not [place for place, text in shown.items() if "SECRET" in text], shown
