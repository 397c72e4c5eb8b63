import os

import pytest

from vidan.errors import SourceError
from vidan.execution.inputs import check_same, identities


def of(path, kind="source"):
    return identities({kind: {"name": "file", "path": str(path), "live": False}})


def refused(before, now):
    with pytest.raises(SourceError) as raised:
        check_same(before, now)
    return str(raised.value)


def test_only_options_that_name_files_have_an_identity(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"1")
    assert list(of(tmp_path / "a.mp4")) == ["source.path"]
    assert of(tmp_path / "b.mp4") == of("rtsp://host/1") == of("\0") == {}


@pytest.mark.parametrize("place", [0, 3_000_000, 6_000_000, -1])
def test_a_changed_byte_or_time_is_another_file(tmp_path, place):
    path = tmp_path / "a.bin"
    data = bytearray(10_000_001)
    path.write_bytes(data)
    before, state = of(path), path.stat()
    check_same(before, of(path))
    step = (len(data) - (1 << 16)) / 31  # one of the blocks that are read
    data[place if place < 0 else round(round(place / step) * step) + 99] = 1
    path.write_bytes(data)
    os.utime(path, ns=(0, state.st_mtime_ns))
    assert "(other content)" in refused(before, of(path))
    path.write_bytes(bytes(10_000_001))
    os.utime(path, ns=(0, 1))
    assert "(other time of change)" in refused(before, of(path))


def test_a_file_that_is_gone(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"1")
    before = of(tmp_path / "a.mp4", "detector")
    assert "detector.path is not the file" in refused(before, {})


def test_an_image_replaced_in_a_folder(tmp_path):
    for n in range(200):
        (tmp_path / f"{n:03}.bmp").write_bytes(bytes([n] * 50))
    before = of(tmp_path)
    check_same(before, of(tmp_path))
    (tmp_path / "101.bmp").write_bytes(bytes(50))
    assert "other names, sizes and times" in refused(before, of(tmp_path))
