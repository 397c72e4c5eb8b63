"""Files and servers whose data names other files: what FFmpeg may open because of it.

Data from strangers must not decide what is read on this computer. A format that only lists other
files (a playlist) is therefore read from a server, or from a file that is named as one, and then
its entries must lie in its own folder. Servers may name other servers, but no local files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import av

from vidan.errors import SourceError

PLAYLISTS = {".m3u8": "hls", ".m3u": "hls", ".ffconcat": "concat"}
"""Suffixes of playlists, and their demuxers. FFmpeg limits `concat` to the own folder, but follows
links in it."""

LOCAL_REFERENCES = {"concat", "image2", "imf", "mlv", "vobsub", "webm_dash_manifest"}
"""Demuxers that open files that are named in the data, or similar to the given one."""

REMOTE_REFERENCES = {"dash", "hls", "rtp", "rtsp", "sap", "sdp"}
"""Demuxers that open what a server names."""

NETWORK_PROTOCOLS = (
    "http,https,httpproxy,tls,tcp,udp,udplite,rtp,srtp,rtmp,rtmpe,rtmps,rtmpt,rtmpte,rtmpts,"
    "ffrtmphttp,ffrtmpcrypt,srt,rist,mmsh,mmst,ftp,sftp,prompeg,crypto,data"
)

FILE_PROTOCOLS = "file,crypto"

PLAYLIST_BEGINNINGS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"v=0")

MAX_PLAYLIST_BYTES = 10_000_000

MAX_ENTRY = 4000
"""Characters: FFmpeg cuts longer entries."""

MAX_DEPTH = 3
"""Of playlists that name playlists."""


def restrictions(file: Path | None, scheme: str) -> dict[str, str]:
    """Options of FFmpeg that restrict formats and protocols.

    Args:
        file: that is opened; None for a URL.
        scheme: of the URL.
    """
    if file is not None:
        playlist = PLAYLISTS.get(file.suffix.lower(), "")
        return {"format_whitelist": _formats(playlist), "protocol_whitelist": FILE_PROTOCOLS}
    if scheme not in {*NETWORK_PROTOCOLS.split(","), "rtsp", "rtsps"} - {"crypto", "data"}:
        return {"format_whitelist": _formats()}  # such as `concat:`, of files
    formats = {"format_whitelist": _formats(*REMOTE_REFERENCES)}
    return formats | {"protocol_whitelist": NETWORK_PROTOCOLS}


@cache
def _formats(*extra: str) -> str:
    """The names of all demuxers that open nothing else, and of `extra` ones."""
    known = {name for names in av.formats_available for name in names.split(",")}
    return ",".join(sorted(known - LOCAL_REFERENCES - REMOTE_REFERENCES | {*filter(None, extra)}))


def is_playlist(file: Path) -> bool:
    """Whether a file begins like a playlist."""
    try:
        with file.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(PLAYLIST_BEGINNINGS)
    except OSError:
        return False


def check_playlist(file: Path) -> None:
    """Check that a playlist names only files in its own folder.

    Raises:
        SourceError: it names something else.
    """
    if demuxer := PLAYLISTS.get(file.suffix.lower()):
        entries = _hls_entries if demuxer == "hls" else _concat_entries
        _check_entries(file, file.parent.resolve(), MAX_DEPTH, entries)


def _check_entries(
    file: Path, root: Path, depth: int, entries: Callable[[list[str]], Iterator[str]]
) -> None:
    if not depth or file.stat().st_size > MAX_PLAYLIST_BYTES:
        raise SourceError(f"{str(file)!r} is too large or too deep for a playlist")
    # FFmpeg also ends a line at a null character.
    lines = re.split(r"[\r\n\0]+", file.read_bytes().decode("utf-8", "surrogateescape"))
    for entry in entries(lines):
        # FFmpeg takes entries as they are, without decoding %xx.
        inside = file.parent / entry
        is_long = len(entry) > MAX_ENTRY
        if is_long or ":" in entry or not inside.resolve().is_relative_to(root):
            raise SourceError(
                f"the playlist {str(file)!r} names {entry!r}, which is not in its folder: put all "
                "files into one folder, or open the video itself"
            )
        if is_playlist(inside):
            _check_entries(inside, root, depth - 1, entries)


def _hls_entries(lines: Iterable[str]) -> Iterator[str]:
    """What the lines of an HLS playlist (RFC 8216) refer to, as FFmpeg reads it.

    It also accepts attributes without quotes, and a backslash before any character in quotes.
    """
    for line in lines:
        if not line.startswith("#"):
            if line.strip():
                yield line.rstrip()
            continue
        # Overlapping, since the text `URI=` may be within the value of another attribute.
        for found in re.finditer(r'URI=(?=(?:"((?:\\.|[^"\\])*)|([^\s,]*)))', line):
            quoted, plain = found.groups()
            yield plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _concat_entries(lines: Iterable[str]) -> Iterator[str]:
    """The files that the lines of an ffconcat script name, without quotes and backslashes."""
    for line in lines:
        keyword, *name = line.split(maxsplit=1)[:2] or [""]
        if keyword == "file":
            yield re.sub(r"['\\]", "", "".join(name).strip())
