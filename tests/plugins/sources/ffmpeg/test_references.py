import re

import pytest

from tests.clips import write_clip
from vidan.errors import SourceError
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.sources.ffmpeg.references import NETWORK_PROTOCOLS, restrictions

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n{}#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"


@pytest.fixture
def folder(tmp_path):
    """A folder with a clip, next to another clip that strangers must not see."""
    inside = tmp_path / "inside"
    inside.mkdir()
    write_clip(tmp_path / "other.ts")
    write_clip(tmp_path / "other.mp4")
    write_clip(inside / "own.ts")
    return inside


def count(path):
    source = VideoFile(str(path))
    try:
        return sum(1 for _ in source)
    finally:
        source.close()


def test_a_playlist_reads_the_files_of_its_folder(folder):
    (folder / "a.m3u8").write_text(HLS.format("", "own.ts"))
    assert count(folder / "a.m3u8") == 25
    (folder / "a.ffconcat").write_text("ffconcat version 1.0\nfile own.ts\n")
    assert count(folder / "a.ffconcat") == 25


@pytest.mark.parametrize(
    "entry",
    ["{}/other.ts", "../other.ts", "file:{}/other.ts", "link.ts", "http://127.0.0.1:9/other.ts"],
)
def test_a_playlist_reads_nothing_else(folder, entry):
    (folder / "link.ts").symlink_to(folder.parent / "other.ts")
    named = entry.format(folder.parent)
    (folder / "a.m3u8").write_text(HLS.format("", named))
    message = re.escape(f"names {named!r}, which is not in its folder")
    with pytest.raises(SourceError, match=message):
        count(folder / "a.m3u8")


@pytest.mark.parametrize("tag", ["KEY:METHOD=AES-128,", "MAP:", "MEDIA:TYPE=VIDEO,"])
def test_neither_do_its_tags(folder, tag):
    (folder / "a.m3u8").write_text(HLS.format(f'#EXT-X-{tag}URI="../other.ts"\n', "own.ts"))
    with pytest.raises(SourceError, match="which is not in its folder"):
        count(folder / "a.m3u8")


@pytest.mark.parametrize(
    "line",
    [
        "#EXT-X-MAP:URI=../other.ts",
        '#EXT-X-MAP:URI="\\../other.ts"',
        '#EXT-X-MAP:X="URI=",URI="../other.ts"',
        "#EXT-X-KEY:METHOD=AES-128,URI=../other.mp4,IV=0x0",
        "#EXTINF:1,\0../other.ts",
        f"{'./' * 2500}own.ts",
    ],
)
def test_neither_do_lines_that_only_ffmpeg_understands(folder, line):
    (folder / "a.m3u8").write_text(HLS.format(f"{line}\n", "own.ts"))
    with pytest.raises(SourceError, match="which is not in its folder"):
        count(folder / "a.m3u8")


@pytest.mark.parametrize("entry", [" link.ts", " 'link.ts'", " l\\ink.ts", "\tlink.ts"])
def test_neither_does_a_link_that_ffmpeg_follows(folder, entry):
    (folder / "link.ts").symlink_to(folder.parent / "other.ts")
    (folder / "a.ffconcat").write_text(f"ffconcat version 1.0\n file{entry}\n")
    with pytest.raises(SourceError, match="which is not in its folder"):
        count(folder / "a.ffconcat")


def test_neither_does_a_playlist_within_a_playlist(folder):
    (folder / "segment.ts").write_text(HLS.format("", "../other.ts"))
    (folder / "a.m3u8").write_text(HLS.format("", "segment.ts"))
    with pytest.raises(SourceError, match=r"segment\.ts' names '\.\./other\.ts'"):
        count(folder / "a.m3u8")


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile own.ts\n",
        HLS.format("", "own.ts"),
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a"])
def test_a_file_that_is_not_named_as_a_playlist_is_none(folder, name, text):
    (folder / name).write_text(text)
    with pytest.raises(SourceError, match="is not a video but names other files"):
        count(folder / name)


@pytest.mark.parametrize("url", ["file:{}/a.m3u8", "file://{}/a.m3u8", "cache:{}/a.m3u8"])
def test_a_playlist_by_a_local_url_reads_nothing_else(folder, url):
    (folder / "a.m3u8").write_text(HLS.format("", "../other.ts"))
    with pytest.raises(SourceError):
        count(url.format(folder))
    (folder / "a.m3u8").write_text(HLS.format("", "own.ts"))
    if url.startswith("file:"):
        assert count(url.format(folder)) == 25


def test_a_server_may_not_name_local_files():
    options = restrictions(None, "https")
    formats, protocols = (options[key].split(",") for key in sorted(options))
    assert {"hls", "mpegts", "mov"} <= set(formats)
    assert "concat" not in formats
    assert protocols == NETWORK_PROTOCOLS.split(",")
    assert not {"file", "pipe", "fd", "concat", "subfile", "unix"} & set(protocols)
