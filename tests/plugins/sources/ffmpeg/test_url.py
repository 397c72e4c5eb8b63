import pytest

from vidan_plugins.sources.ffmpeg.url import Address


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam/live", "rtsp://cam/live"),
        ("rtsp://me:secret@cam/live", "rtsp://me:***@cam/live"),
        ("rtsp://me:se@cr/et@cam/live", "rtsp://me:***@cam/live"),  # invalid, but people write it
        ("http://cam/v?password=secret&x=1", "http://cam/v?password=***&x=1"),
        ("http://cam/v?x=1&Api_Key=secret", "http://cam/v?x=1&Api_Key=***"),
    ],
)
def test_secrets_are_hidden(url, shown):
    assert repr(Address(url)) == repr(shown)
    assert Address(url).target == url


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/videos/street.mp4", "street"),
        ("rtsp://me:secret@cam:554/Streaming/Channels/101", "101"),
        ("http://cam/live.m3u8?token=x", "live"),
        ("rtsp://me:secret@cam", "cam"),
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
    ],
)
def test_the_protocol_determines_what_is_local_and_live(path, local, live):
    address = Address(path)
    assert (address.local, address.live) == (local, live)
