"""The path or URL of a video, with secrets hidden, and the error messages about it.

A password may contain characters that end the user's part of a URL (`#`, `/`, `?`): people write
them as they are. They are encoded for FFmpeg, which decodes them again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

import av.error

from vidan.errors import SourceError
from vidan.options import exists, expanded
from vidan.support.secrets import HIDDEN, redacted_url, split_user

from .hwaccel import Hardware
from .references import NETWORK_PROTOCOLS, PLAYLISTS, check_playlist, is_playlist, restrictions

LIVE_PROTOCOLS = {"rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "udp"}
"""Protocols over which images arrive when they are captured, whether or not anyone is ready."""


FILE_URL = re.compile(r"(?i)file:(?://(?:localhost)?(?=/))?(.+)", re.DOTALL)
"""A path as a URL; FFmpeg decodes no %xx in it."""

UNSAFE_IN_USER = re.compile(r"%(?![0-9A-Fa-f]{2})|[^\w%!$&'()*+,;=:.~-]")
"""What is not allowed in the user's part of a URL (RFC 3986); %xx is encoded already."""


class Address:
    """A path or URL as the user wrote it; its repr hides secrets.

    Attributes:
        local: whether it is a path on this computer.
        file: on this computer; None for a URL.
        live: whether images arrive over it when they are captured.
        target: what FFmpeg opens.
        options: options for FFmpeg's demuxer and protocol; may be added to.
        hwaccel: device that decodes.
    """

    def __init__(self, path: str) -> None:
        file = expanded(path)
        if not exists(file) and (local := FILE_URL.fullmatch(path)):
            path = local[1]
            file = expanded(path)
        # A drive letter is not a protocol, and a file name may contain a colon.
        self.local = exists(file) or not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path)
        self.file = file if self.local else None
        self._redacted = path if exists(file) else redacted_url(path)
        scheme, colon, rest = ("", "", path) if self.local else path.partition(":")
        scheme = scheme.lower()  # FFmpeg knows no other
        self.live = scheme in LIVE_PROTOCOLS
        self.target = f"file:{file}" if self.local else _with_encoded_user(scheme + colon + rest)
        self.options = restrictions(self.file, scheme)
        self.hwaccel: Hardware = "none"

    def __repr__(self) -> str:
        return repr(self._redacted)

    @property
    def name(self) -> str:
        """A short name: the stem of the file or of the URL's path, or else the host.

        A part of the path that may be a secret is no name.
        """
        if self.file is not None and HIDDEN not in self._redacted:
            return self.file.stem
        try:
            url = urlsplit(self._redacted)
            name = PurePosixPath(url.path).stem
            return (name if HIDDEN not in name else "") or url.hostname or "stream"
        except ValueError:  # not a valid host
            return "stream"

    def check(self) -> None:
        """Detect what FFmpeg would report as invalid data only.

        Raises:
            SourceError: there is no file at the path, or it is empty.
        """
        if self.file is None:
            return
        if not exists(self.file):
            raise SourceError(f"there is no file {self!r}: check the path")
        if self.file.is_dir():
            raise SourceError(f"{self!r} is a folder: for a folder of images set source=images")
        if self.file.is_file() and not self.file.stat().st_size:
            raise SourceError(f"{self!r} is empty (0 bytes): get the file again")
        check_playlist(self.file)

    def no_video(self, kinds: Iterable[str]) -> str:
        """The error if it contains no video, only streams of other kinds."""
        if "audio" in kinds:
            return f"{self!r} has no video, only sound: choose another file"
        return f"{self!r} is not a video, or is damaged or cut short: get it again"

    def undecodable(self) -> str:
        """What to do if none of its images can be decoded."""
        if self.live:
            return "check the sender"
        return "the file is damaged or cut short, get it again"

    def cannot_open(self, error: av.error.FFmpegError) -> str:
        """The error if it cannot be opened."""
        if isinstance(error, av.error.ProtocolNotFoundError):
            scheme = self.target.partition(":")[0]
            if scheme in NETWORK_PROTOCOLS.split(","):
                return (
                    f"cannot open {self!r}: PyAV was built without {scheme}: build it with an "
                    "FFmpeg that has it"
                )
            return f"there is no file {self!r}, nor a protocol of that name: check the path"
        if self.file is not None and is_playlist(self.file):
            if self.file.suffix.lower() in PLAYLISTS:
                return f"{self!r} names files that are not in its folder, or that are no videos"
            return (
                f"{self!r} is not a video but names other files: open one of them, or, if you "
                "trust it, rename it to .m3u8 or .ffconcat"
            )
        if isinstance(error, av.error.InvalidDataError):
            return self.no_video(())
        if isinstance(error, av.error.PermissionError):
            return f"no permission to read {self!r}: ask its owner"
        return f"cannot open {self!r}: {_reason(error)}: check the path and the network"

    def cannot_resolve(self, error: OSError) -> str:
        """The error if its host name cannot be resolved."""
        why = error.strerror or error
        return f"cannot resolve the host of {self!r}: {why}: check the path and the network"

    def cannot_read(self, error: av.error.FFmpegError) -> str:
        """The error if reading fails."""
        where = "disk" if self.local else "network"
        return f"cannot read {self!r} any further: {_reason(error)}: check the {where}"

    def ended(self) -> str:
        """The error if a server ended a stream that should have no end."""
        return f"{self!r} ended: its server closed the connection"

    def no_data(self, timeout: float) -> str:
        """The error if nothing was received for `timeout` s."""
        return f"no data from {self!r} for {timeout:g} s: check the network and the sender"

    def redact(self, error: av.error.FFmpegError) -> None:
        """Remove secrets from an error of FFmpeg: a traceback would show them."""
        if error.filename:
            error.args = (*error.args[:2], self._redacted, *error.args[3:])


def _with_encoded_user(url: str) -> str:
    """A URL whose user and password cannot be mistaken for other parts of it."""
    scheme, user, rest = split_user(url)
    name = UNSAFE_IN_USER.sub(_encoded, user[:-1])
    return scheme + name + user[-1:] + rest


def _encoded(character: re.Match[str]) -> str:
    # A byte that is not UTF-8 is a surrogate in this range (PEP 383).
    is_byte = "\udc80" <= character[0] <= "\udcff"
    return quote(character[0], safe="", errors="surrogateescape" if is_byte else "replace")


def _reason(error: av.error.FFmpegError) -> str:
    return error.strerror or str(error)
